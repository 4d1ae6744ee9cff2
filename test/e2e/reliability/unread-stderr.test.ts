// A reader of stderr that stops reading: memory stays flat, nothing is lost once it reads again, and the run ends.
import { execFileSync } from 'node:child_process'
import { createReadStream, existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../helpers/eventually.js'
import { peakMemory, stateOf } from '../../helpers/proc.js'
import { type RunOptions, root, type Started, startShell } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const MB = 1 << 20
/** Of the parent. Before, it was as large as what jobs printed. */
const MAX_MEMORY = 190 * MB

/** As many megabytes as the item says, in few lines: it is the bytes that count. */
const PRINTS = `
const line = 'x'.repeat(9_999)
export default (megabytes) => {
  for (let i = 0; i < megabytes * 100; i++) console.log(line)
  return megabytes
}
`
const FAILS = `
export default (item) => {
  if (item === 1) return item
  throw new Error('failure ' + item + ' of its own kind '.repeat(100))
}
`

/** Runs a command with a named pipe as stderr that is full after 64 KiB, because nobody reads it. */
function startUnread(
  job: string,
  script: (job: string) => string,
  { program = '', ...options }: RunOptions & { readonly program?: string } = {},
) {
  const space = tempSpace()
  const pipe = space.path('stderr')
  execFileSync('mkfifo', [pipe])
  const file = space.path('job.mjs')
  space.write({ 'job.mjs': job, 'program.mjs': program })
  const main = program === '' ? '"$POOLRUN_JS"' : 'program.mjs'
  const command = `exec 9<>'${pipe}'; exec "$NODE" ${main} ${script(file)} 2>&9`
  const run: Started = startShell(command, { cwd: space.path('.'), ...options })
  return { ...run, space, pipe, peak: watchMemory(run.child.pid!) }
}

/** Resolves with the peak memory of a process when it has exited. */
async function watchMemory(pid: number): Promise<number> {
  for (let peak = 0; ; ) {
    const now = peakMemory(pid)
    if (now === 0 && stateOf(pid) === undefined) return peak
    peak = Math.max(peak, now)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const sumUp = { timeoutMs: 25_000 }

describe.runIf(process.platform === 'linux')('a reader of stderr that does not read', () => {
  it.each(['lines', 'group', 'failed'])(
    'holds back jobs that print with --job-output %s, not memory',
    async (mode) => {
      const items = Array.from({ length: 25 }, () => '5').join(' ')
      const { ended, peak } = startUnread(
        PRINTS,
        (job) => `map ${job} -j 2 --job-output ${mode} --deadline 4s ${items}`,
        sumUp,
      )
      const { exitCode } = await ended()
      // What is held back by item lets the run end before.
      expect([0, 124]).toContain(exitCode)
      expect(await peak).toBeLessThan(MAX_MEMORY)
    },
  )

  it('gets every line once it reads', async () => {
    const { ended, pipe, space } = startUnread(PRINTS, (job) => `map ${job} -o out -j 2 10 10 10`, sumUp)
    const reader = createReadStream(pipe)
    let [lines, last] = [0, '']
    for await (const data of reader) {
      // Slower than the jobs print.
      await new Promise(setImmediate)
      lines += String(data).split('\n').length - 1
      last = String(data)
      if (last.endsWith('3 ok\n')) break
    }
    expect(lines).toBe(3_001)
    expect(await ended()).toMatchObject({ exitCode: 0 })
    expect(readFileSync(space.path('out'), 'utf8')).toBe('10\n10\n10\n')
  })

  it.each([
    ['its own text', FAILS, 'collect', '-i <(seq 2000)', 'failed, skipped', 1_999],
    ['groups', PRINTS, 'map', '--job-output group -i <(for i in {1..20}; do echo 1; done)', 'xxxx', 2_000],
  ])('loses nothing of %s if it is slow', async (_what, job, command, options, text, count) => {
    const { ended, pipe } = startUnread(job, (file) => `${command} ${file} -o out -j 2 ${options}`, sumUp)
    let [lines, last] = [0, '']
    for await (const data of createReadStream(pipe)) {
      await new Promise(setImmediate)
      const complete = (last + data).split('\n')
      last = complete.pop() ?? ''
      lines += complete.filter((line) => line.includes(text)).length
      if (complete.some((line) => /^poolrun \w+: \d+ ok/.test(line))) break
    }
    expect(lines).toBe(count)
    await ended()
  })

  it('does not stop timeouts', async () => {
    const { ended, space } = startUnread(PRINTS, (job) => `collect ${job} -o out --timeout 1s -j 2 0 9 0 9`)
    expect(await ended()).toMatchObject({ exitCode: 3 })
    expect(readFileSync(space.path('out'), 'utf8')).toBe('0\n0\n')
  })

  it('does not stop signals', async () => {
    const { child, ended } = startUnread(PRINTS, (job) => `imap ${job} -j 2 0 9 9`)
    // The result of the first item: from then on the others print.
    await new Promise((resolve) => child.stdout.once('data', resolve))
    child.kill('SIGINT')
    child.kill('SIGTERM')
    expect(await ended()).toMatchObject({ signal: expect.stringMatching(/^SIG(INT|TERM)$/) })
  })

  it('gets the summary line of a run that has ended, whatever signal comes before it reads', async () => {
    const { child, ended, pipe, space } = startUnread(
      FAILS,
      // All failures in full are more than the pipe holds: the run waits for a reader.
      (job) => `collect ${job} -o out -j 1 -v -i <(seq 80)`,
    )
    await eventually('the output file', () => existsSync(space.path('out')) || undefined)
    child.kill('SIGTERM')
    const reader = createReadStream(pipe)
    let text = ''
    for await (const data of reader) {
      text += data
      if (/^poolrun collect: 1 ok, 79 failed.*\n/m.test(text)) break
    }
    expect([3, undefined]).toContain((await ended()).exitCode)
  })

  it('does not keep a run that has ended, nor its files', async () => {
    const { ended, space, peak } = startUnread(
      FAILS,
      (job) => `collect ${job} -o out -j 1 -i <(seq 2500)`,
      sumUp,
    )
    expect(await ended()).toMatchObject({ exitCode: 3 })
    expect(readFileSync(space.path('out'), 'utf8')).toBe('1\n')
    expect(await peak).toBeLessThan(MAX_MEMORY)
  })

  it('holds back the jobs of a pool, too, and does not keep it', async () => {
    const program = `
      import { Pool } from '${root}/dist/index.js'
      const pool = new Pool(process.argv[2], { processes: 2, timeout: 3000 })
      const results = await Promise.allSettled([pool.apply('default', [75]), pool.apply('default', [75])])
      console.log(results.map(({ reason }) => reason?.name))
      await pool.terminate()
      process.exit()
    `
    const { ended, peak } = startUnread(PRINTS, (job) => job, { program })
    expect(await ended()).toMatchObject({ stdout: "[ 'TimeoutError', 'TimeoutError' ]\n", exitCode: 0 })
    expect(await peak).toBeLessThan(MAX_MEMORY)
  })
})
