// The lines of docs/from-parallel-and-xargs.md do what they say.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root, runShell } from '../../helpers/run-cli.js'

const folder = mkdtempSync(join(tmpdir(), 'poolrun-lines-'))
afterAll(() => rmSync(folder, { recursive: true }))

const page = readFileSync(join(root, 'docs/from-parallel-and-xargs.md'), 'utf8')
const block = /## Their lines and ours.*?```sh\n(.*?)```/s.exec(page)![1]!
const ours = block.split('\n\n').map((pair) => pair.trim().split('\n')[1]!)

/** What each prints to stdout, and its exit code; in the order of the page. `sorted`: in any order. */
const EXPECTED: readonly (readonly [stdout: string | RegExp, exitCode?: number, after?: string])[] = [
  [/^("[ABC]"\n){3}$/],
  ['A\nB\nC\n'],
  ['2 a.log\n4 b.log\n'],
  ['2 a.log\n4 b.log\n'],
  [/^(?=.*a\.log)(?=.*b\.log)/s],
  ['<a.log>\n<b.log>\n'],
  ['null\nnull\n', 0, 'gzip -dc a.log.gz b.log.gz'],
  ['null\nnull\n', 0, 'cat a.bak b.bak'],
  ['c.tar.gz sub c.tar\n'],
  ['1\n'],
  ['0 A\n1 B\n'],
  ['Ada 36\nAlan Mathison 41\n'],
  ['1\n2\n3\n'],
  ['""\n', 3],
  ['""\n'],
  ['', 1],
  ['{"out":"out/0.out","err":"out/0.err","exitCode":0}\n', 0, 'cat out/0.out out/0.err'],
  ["gzip 'a b.log'\n"],
  ['""\n', 0, 'test -s log.json'],
  ['A\nB\n'],
  ['""\n', 0, '! ls a.log b.log 2> /dev/null'],
  ['1\n1\n'],
]

beforeAll(() => {
  mkdirSync(join(folder, 'sub'))
  writeFileSync(join(folder, 'list.txt'), 'a.log\nb.log\n')
  writeFileSync(join(folder, 'a.log'), 'x\n')
  writeFileSync(join(folder, 'b.log'), 'y\nz\n')
  writeFileSync(join(folder, 'people.csv'), 'name,age\nAda,36\nAlan Mathison,41\n')
})

test('every line that the page shows', { timeout: 120_000 }, async () => {
  expect(ours).toHaveLength(EXPECTED.length)
  const script = ours.map((line, i) => {
    const after = EXPECTED[i]![2]
    return `( ${line}\n) > stdout.${i}; echo $? > code.${i}\n${after === undefined ? '' : `( ${after} ) > /dev/null || echo "line ${i}: ${after.replaceAll('"', '')}"`}`
  })
  // Those that say how many processes they want have workers; a line reads, runs and writes the same without.
  const env = { POOLRUN_PROCESSES: '0' }
  const { stdout } = await runShell(script.join('\n'), { cwd: folder, env, timeoutMs: 110_000 })
  expect(stdout).toBe('')
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  ours.forEach((line, i) => {
    const [expected, exitCode = 0] = EXPECTED[i]!
    const printed = read(`stdout.${i}`)
    const matches = typeof expected === 'string' ? printed === expected : expected.test(printed)
    expect({ line, printed: matches ? expected : printed, exitCode: Number(read(`code.${i}`)) }).toEqual({
      line,
      printed: expected,
      exitCode,
    })
  })
})
