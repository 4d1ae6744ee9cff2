// Signals that reach every process of a run, as systemd, CI systems, `kill -- -pgid` and terminals send them: the run ends
// as it does when only poolrun receives them.
import { chmodSync, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../helpers/eventually.js'
import { listMarked, waitUntilNoneLeft } from '../../helpers/no-orphans.js'
import { lastLine, occurrences } from '../../helpers/normalise.js'
import { fixture, root, startShell, type Watched, watchCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const pidsOf = (run: Pick<Watched, 'mark'>, of = '') =>
  listMarked(run.mark)
    .filter((line) => line.includes(of))
    .map((line) => Number.parseInt(line, 10))

/** To the workers and the reaper first: what follows from their exits could arrive before the signal does. */
function sendToAll(run: Watched, signal: NodeJS.Signals): void {
  const others = pidsOf(run).filter((pid) => pid !== run.child.pid)
  for (const pid of [...others, run.child.pid!]) process.kill(pid, signal)
}

describe.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s to all processes of a run', (signal) => {
  it('lets running items end, and no worker is lost', async () => {
    const { path, write, read } = tempSpace()
    const run = watchCli([
      ...['imap', fixture('waits-for-file'), '-j', '1', '--chunk-size', '1', '--errors', path('errors')],
      ...[1, path('flag')].map((item) => JSON.stringify(item)),
    ])
    await run.printed(/^begun$/m)
    sendToAll(run, signal)
    await run.printed(/interrupted/)
    write({ flag: '' })
    const result = await run.ended()
    expect(result.stdout).toBe('1\n"seen"\n')
    expect(lastLine(result.stderr)).toBe(`poolrun imap: interrupted by ${signal}: 2 ok`)
    expect(occurrences(result.stderr, 'Error')).toBe(0)
    expect(read('errors')).toBe('')
    expect(result.signal).toBe(signal)
  })
})

it('a job’s own handler of such a signal runs, and its item goes on', async () => {
  const { path, write } = tempSpace()
  write({
    'job.mjs': `import { existsSync, writeFileSync } from 'node:fs'
      import { setTimeout as pause } from 'node:timers/promises'
      process.on('SIGTERM', () => writeFileSync(${JSON.stringify(path('handled'))}, ''))
      export default async (flag) => {
        console.error('begun')
        while (!existsSync(flag)) await pause(5)
        return process.listenerCount('SIGTERM')
      }`,
  })
  const run = watchCli(['imap', path('job.mjs'), '-j', '1', JSON.stringify(path('flag'))])
  await run.printed(/^begun$/m)
  sendToAll(run, 'SIGTERM')
  await run.printed(/interrupted/)
  await eventually('the handler to run', () => existsSync(path('handled')) || undefined)
  write({ flag: '' })
  expect(lastLine((await run.ended()).stderr)).toBe('poolrun imap: interrupted by SIGTERM: 1 ok')
})

it('a worker that is hit while its Node starts is replaced', async () => {
  const { path, write } = tempSpace()
  write({
    'job.mjs': 'export default (item) => item',
    // Only the first worker waits here.
    'preload.cjs': `const fs = require('node:fs')
      if (!fs.existsSync(${JSON.stringify(path('pid'))})) {
        fs.writeFileSync(${JSON.stringify(path('pid'))}, '')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      }`,
  })
  const run = watchCli([
    ...['map', path('job.mjs'), '-j', '1', '--node-options', `--require=${path('preload.cjs')}`, '1'],
  ])
  await eventually('the worker to start', () => existsSync(path('pid')) || undefined)
  for (const pid of pidsOf(run, 'worker.cjs')) process.kill(pid, 'SIGTERM')
  expect(await run.ended()).toMatchObject({ stdout: '1\n', stderr: 'poolrun map: 1 ok\n', exitCode: 0 })
})

it('a compiler that is hit is started again', async () => {
  const { path, read, write, dir } = tempSpace()
  const job = write({ 'job.ts': 'export default (item: number) => item' })
  // The first compiler does not answer before it is hit.
  const compiler = write({
    compiler: `#!/bin/sh
      echo $$ >> '${path('pids')}'
      [ $(wc -l < '${path('pids')}') = 1 ] && exec sleep 60
      exec '${createRequire(import.meta.url).resolve('esbuild/bin/esbuild')}' "$@"`,
  })
  chmodSync(compiler, 0o755)
  const env = { POOLRUN_CACHE_DIR: dir, ESBUILD_BINARY_PATH: compiler }
  const run = watchCli(['map', job, '-j', '1', '7'], { env })
  const pids = () => read('pids').split('\n').filter(Boolean).map(Number)
  process.kill(await eventually('the compiler', () => pids()[0]), 'SIGTERM')
  expect(await run.ended()).toMatchObject({ stdout: '7\n', stderr: 'poolrun map: 1 ok\n', exitCode: 0 })
  expect(pids()).toHaveLength(2)
})

it.each([
  ['outlasts SIGTERM and SIGHUP', ['SIGTERM', 'SIGHUP']],
  ['is started again after a SIGKILL', ['SIGKILL']],
] as const)('the reaper %s: busy workers end after a SIGKILL of poolrun', async (_what, signals) => {
  const { write } = tempSpace()
  const job = write({
    'job.mjs': `import { writeSync } from 'node:fs'
      export default () => {
        writeSync(2, 'started\\n')
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
      }`,
  })
  const run = watchCli(['map', job, '-j', '1', '1'])
  await run.printed(/^started$/m)
  const reaper = await eventually('the reaper', () => pidsOf(run, '/bin/sh')[0])
  for (const signal of signals) process.kill(reaper, signal)
  if (signals[0] === 'SIGKILL')
    await eventually('another one', () => pidsOf(run, '/bin/sh').find((pid) => pid !== reaper))
  process.kill(run.child.pid!, 'SIGKILL')
  await waitUntilNoneLeft(run.mark, 'poolrun, killed,', 10_000)
  await run.ended()
})

describe('SIGHUP is ignored', () => {
  it.each([
    ['under nohup', 'trap : HUP; nohup', ''],
    ['under nohup in the background', 'trap : HUP; nohup', '& wait $!; wait $!'],
    // bash names the command that it starts; other shells do not.
    ['by the shell that starts poolrun', "trap '' HUP; env -u _", ''],
  ])('%s', async (_what, prefix, suffix) => {
    const { path, write } = tempSpace()
    const job = `${root}${fixture('waits-for-file')}`
    const run = startShell(
      `${prefix} "$NODE" "$POOLRUN_JS" imap ${job} '"flag"' < /dev/null ${suffix}; exit $?`,
      {
        cwd: path('.'),
      },
    )
    let stderr = ''
    run.child.stderr.on('data', (data) => {
      stderr += data
    })
    await eventually('the item to begin', () => /^begun$/m.test(stderr) || undefined)
    for (const pid of pidsOf(run)) process.kill(pid, 'SIGHUP')
    // Both have been handled once the status, which is requested later, is there.
    process.kill(pidsOf(run, 'poolrun.js')[0]!, 'SIGUSR2')
    await eventually('the status', () => /1 worker|worker 0/.test(stderr) || undefined)
    write({ flag: '' })
    expect(await run.ended()).toMatchObject({ stdout: '"seen"\n', exitCode: 0 })
  })
})
