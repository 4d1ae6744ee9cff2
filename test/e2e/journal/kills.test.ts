// poolrun is killed at random moments, again and again, and goes on from its journal: what it writes in the end is what one run
// that nobody disturbs writes. Many more such ends are drawn by `npm run simulate`.
import { statSync, truncateSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../helpers/eventually.js'
import { createRandom } from '../../helpers/random.js'
import { runCli, startCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

const ITEMS = 80

/** Every 40th item kills its worker at the first attempt; one of eleven fails whatever is tried. */
const JOB = `export default async function (n, { attempt }) {
  await new Promise((resolve) => setTimeout(resolve, 3))
  if (n % 40 === 0 && attempt === 1) process.kill(process.pid, 'SIGKILL')
  if (process.env.FAILS === '1' && n % 11 === 5) throw new Error('bad ' + n)
  return { n, text: 'ü'.repeat(n % 40) }
}`

/** Every 40th command is killed at its first attempt. */
const COMMAND =
  'if [ $((POOLRUN_ITEM % 40)) = 0 ] && [ "$POOLRUN_ATTEMPT" = 1 ]; then kill -9 $$; fi; echo "<{}>"'

const all = Array.from({ length: ITEMS }, (_, n) => n)
const lineOf = (n: number) => `${JSON.stringify({ n, text: 'ü'.repeat(n % 40) })}\n`

interface Case {
  readonly command: string
  readonly fails: boolean
  readonly kills: number
  /** Two without it. */
  readonly processes?: number
  /** Items are commands. */
  readonly isCommand?: boolean
  /** After each kill, the last line loses some bytes. */
  readonly tears?: boolean
}

const CASES: readonly Case[] = [
  { command: 'imap', fails: false, kills: 3 },
  { command: 'collect', fails: true, processes: 1, kills: 3, tears: true },
  { command: 'map', fails: false, processes: 1, kills: 1 },
  { command: 'imap-unordered', fails: false, kills: 2, tears: true },
  { command: 'imap', isCommand: true, fails: false, kills: 1 },
]

describe('a run that is killed and resumed', () => {
  test('writes what an undisturbed one writes', async () => {
    const run = async ({ command, processes = 2, isCommand = false, fails, kills, tears = false }: Case) => {
      const space = tempSpace()
      const journal = space.path('j.ndjson')
      space.write({ 'job.mjs': JOB, 'items.ndjson': all.map((n) => `${n}\n`).join('') })
      const random = createRandom(command.length * kills)
      const args = [
        ...[command, ...(isCommand ? ['--exec', COMMAND] : [space.path('job.mjs')])],
        ...['-i', space.path('items.ndjson'), '-j', `${processes}`, '--retries', '1'],
        ...['--max-worker-restarts', 'none', '--journal', journal, '--resume'],
      ]
      const options = { env: { FAILS: fails ? '1' : '0' }, timeoutMs: 60_000 }
      const sizeOf = () => statSync(journal, { throwIfNoEntry: false })?.size ?? 0
      for (let kill = 0; kill < kills; kill++) {
        const { child, ended } = startCli(args, options)
        // From its first line to much of what is left, spread over all kills.
        const target = sizeOf() + 1 + Math.floor(random.next() * 1800)
        await eventually('the journal to grow', () =>
          sizeOf() >= target || child.exitCode !== null ? true : undefined,
        )
        child.kill('SIGKILL')
        await ended()
        if (tears && sizeOf() > 1000) truncateSync(journal, sizeOf() - Math.floor(random.next() * 30))
      }
      const { stdout, exitCode } = await runCli(args, options)
      const expected = all
        .filter((n) => !(fails && n % 11 === 5))
        .map(isCommand ? (n) => `"<${n}>"\n` : lineOf)
      const lines = command === 'imap-unordered' ? stdout.split(/(?<=\n)/).sort() : [stdout]
      expect(lines.join('')).toBe((command === 'imap-unordered' ? expected.sort() : expected).join(''))
      expect(exitCode).toBe(fails ? 3 : 0)
    }
    // Together, because most of the time they wait.
    await Promise.all(CASES.map(run))
  }, 120_000)
})
