// `--eval`: an expression in place of a job module.
import { expect, it } from 'vitest'
import { runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

it.each<[expression: string, items: string[], stdout: string]>([
  ['n => n * 2', ['1', '2', '3'], '2\n4\n6\n'],
  ['async (n: number): Promise<number> => n + 1', ['1'], '2\n'],
  ['function (n) { return n } // a comment', ['1'], '1\n'],
  ['({ a }) => a satisfies string as unknown', ['{"a":"b"}'], '"b"\n'],
  ["\n(({ basename }) => (p: string) => basename(p))(await import('node:path'))", ['"/a/b.c"'], '"b.c"\n'],
  ["async f => (await import('node:fs')).existsSync(f)", ['"/nope"'], 'false\n'],
  ["require('node:path').extname", ['"a.b"'], '".b"\n'],
  ['() => __dirname === process.cwd() && import.meta.dirname === process.cwd()', ['1'], 'true\n'],
  ['(n, { index, params }) => [index, params.k]', ['5'], '[0,7]\n'],
])('runs the value of %j', async (expression, items, stdout) => {
  const run = await runCli(['imap', '-e', expression, '--param', 'k=7', '--', ...items], {
    cwd: tempSpace().dir,
  })
  expect(run.stderr).not.toContain('Error')
  expect(run.stdout).toBe(stdout)
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
  expect((await runCli(args, { cwd: space.dir })).stdout).toBe('"<a!!>"\n')
})

it('names the place in the expression in frames', async () => {
  const cwd = tempSpace().dir
  const first = await runCli(['map', '-e', 'n => {  throw new Error("one") }', '1'], { cwd })
  expect(first.stderr).toContain('Error: one\n    at task (--eval:1:15)\n"""')
  expect(first.stderr).toContain('    at poolrun map --eval (item 0: 1)\n')
  const second = await runCli(['map', '-e', '(n: number) => {\n  const [a]: number[] = n as any\n}', '1'], {
    cwd,
  })
  expect(second.stderr).toContain('    at task (--eval:2:25)\n')
  expect(second.exitCode).toBe(1)
})

it.each([
  ['n => n +', '--eval:1:9: Unexpected ")"'],
  ['const a = 1', '--eval:1:1: Unexpected "const"'],
  ['n => {\n  n ++ n\n}', '--eval:2:8: Expected ";" but found "n"'],
  // It could catch the error.
  ["import('./missing.ts')", 'the value of --eval is not a function'],
  ['5', 'the value of --eval is not a function'],
  ['nowhere', '--eval threw while loading'],
])('ends with exit code 5 for %j', async (expression, message) => {
  const run = await runCli(['map', '-e', expression, '1'], { cwd: tempSpace().dir })
  expect(run.stderr).toContain(message)
  expect(run.stdout).toBe('')
  expect(run.exitCode).toBe(5)
})
