// `--eval`: an expression in place of a job module.
import { expect, it } from 'vitest'
import { runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

/** Without workers: they load an expression as poolrun's own process does. */
const run = (expression: string, ...items: string[]) =>
  runCli(['imap', '-e', expression, '-j', '0', '--param', 'k=7', '--', ...items], { cwd: tempSpace().dir })

it.each<[expression: string, items: string[], stdout: string]>([
  ['function (n) { return n } // a comment', ['1'], '1\n'],
  ["\n(({ basename }) => (p: string) => basename(p))(await import('node:path'))", ['"/a/b.c"'], '"b.c"\n'],
  ["require('node:path').extname", ['"a.b"'], '".b"\n'],
  [
    "async ({ a }, { index, params }): Promise<unknown> => [a satisfies string as unknown, index, params.k, (await import('node:fs')).existsSync('/nope')]",
    ['{"a":"b"}'],
    '["b",0,7,false]\n',
  ],
  ['() => __dirname === process.cwd() && import.meta.dirname === process.cwd()', ['1'], 'true\n'],
])('runs the value of %j', async (expression, items, stdout) => {
  const ran = await run(expression, ...items)
  expect(ran.stderr).not.toContain('Error')
  expect(ran.stdout).toBe(stdout)
})

it('runs an expression in workers', async () => {
  const cwd = tempSpace().dir
  const { stdout, stderr } = await runCli(['imap', '-e', 'n => n * 2', '1', '2', '3'], { cwd })
  expect({ stdout, stderr }).toEqual({ stdout: '2\n4\n6\n', stderr: 'poolrun imap: 3 ok\n' })
})

it('resolves packages, files and tsconfig paths from the working directory', async () => {
  const space = tempSpace()
  space.write({
    'node_modules/pad/index.js': 'module.exports = (s) => "<" + s + ">"',
    'lib/helper.ts': 'export const shout = (s: string): string => s.toUpperCase()',
    'tsconfig.json': '{"compilerOptions":{"paths":{"@/*":["./lib/*"]}}}',
  })
  const expression =
    "async s => (await import('pad')).default((await import('./lib/helper.ts')).shout((await import('@/helper')).shout(s)))"
  const args = ['map', '-e', expression, 'a']
  expect((await runCli(args, { cwd: space.dir })).stdout).toBe('"<A>"\n')
  // Compiled again when an imported file changes.
  space.write({ 'lib/helper.ts': 'export const shout = (s: string): string => s + "!"' })
  expect((await runCli([...args, '-j', '0'], { cwd: space.dir })).stdout).toBe('"<a!!>"\n')
})

it('names the place in the expression in frames', async () => {
  const cwd = tempSpace().dir
  const first = await runCli(['map', '-e', 'n => {  throw new Error("one") }', '1'], { cwd })
  expect(first.stderr).toContain('Error: one\n    at task (--eval:1:15)\n"""')
  expect(first.stderr).toContain('    at poolrun map --eval (item 0: 1)\n')
  const second = await run('(n: number) => {\n  const [a]: number[] = n as any\n}', '1')
  expect(second.stderr).toContain('    at task (--eval:2:25)\n')
  expect(second.exitCode).toBe(1)
})

it.each([
  ['n => n +', '--eval:1:9: Unexpected ")"'],
  ['const a = 1', '--eval:1:1: Unexpected "const"'],
  ['n => {\n  n ++ n\n}', '--eval:2:8: Expected ";" but found "n"'],
  // It could catch the error.
  ["import('./missing.ts')", 'the value of --eval is not a function'],
  ['nowhere', '--eval threw while loading'],
])('ends with exit code 5 for %j', async (expression, message) => {
  const { stdout, stderr, exitCode } = await run(expression, '1')
  expect(stderr).toContain(message)
  expect(stdout).toBe('')
  expect(exitCode).toBe(5)
})
