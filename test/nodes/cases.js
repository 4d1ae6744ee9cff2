// A small run of each command, and of the library in both forms. What each must print is the same on every Node.
import path from 'node:path'
import { pathToFileURL } from 'node:url'

const root = path.join(import.meta.dirname, '../..')
const bin = path.join(root, 'bin/poolrun.js')
const library = (name) => path.join(root, 'dist', name)

export const FILES = {
  'job.ts': `import { factor } from './factor.ts'
export enum Kind { Odd, Even }
export default async (n: number): Promise<number> => n * factor
export const sum = (a: number, b: number): number => a + b
export function even(n: number): string {
  if (n % 2 === Kind.Even) throw new RangeError(\`\${n} is odd\`)
  return Kind[Kind.Even]
}
`,
  'factor.ts': 'export const factor: number = 2\n',
  'job.mjs':
    'import { EOL } from "node:os"\nexport default async (n) => [n, EOL, import.meta.dirname !== undefined]\n',
  'job.cjs': 'module.exports = (n) => [n, require("node:path").basename(__filename)]\n',
  'data.csv': 'name,age\nada,36\n',
  'pool.mjs': `import { Pool } from ${JSON.stringify(pathToFileURL(library('index.js')))}
const pool = new Pool('./job.ts', { processes: 2 })
console.log(await pool.map('default', [1, 2]), String(await pool.apply('even', [1]).catch((error) => error)))
await pool.terminate()
`,
  'pool.cjs': `const { Pool } = require(${JSON.stringify(library('index.cjs'))})
const pool = new Pool('./job.ts', { processes: 1 })
pool.map('default', [1, 2]).then(console.log).finally(() => pool.terminate())
`,
}

const cli = (...args) => [bin, ...args]

/** Command line, exit code, stdout, and stderr where it matters. */
export const CASES = [
  { args: cli('map', 'job.ts', '1', '2', '3'), code: 0, stdout: '2\n4\n6\n', stderr: /3 ok/ },
  { args: cli('map', 'job.mjs', '1', '-j1'), code: 0, stdout: '[1,"\\n",true]\n' },
  { args: cli('map', 'job.cjs', '1', '-j1'), code: 0, stdout: '[1,"job.cjs"]\n' },
  { args: cli('map', '-e', '(n: number) => n + 1', '1', '-j1'), code: 0, stdout: '2\n' },
  { args: cli('map', 'job.ts', '1', '2', '--processes', '0'), code: 0, stdout: '2\n4\n' },
  {
    args: cli('map', 'job.ts#even', '1', '-j1'),
    code: 1,
    stdout: '',
    stderr: /RangeError: 1 is odd\n.*even \(job\.ts:6:34\)/,
  },
  { args: cli('map', 'absent.ts', '1'), code: 5, stdout: '' },
  { args: cli('starmap', 'job.ts#sum', '[1,2]', '-j1'), code: 0, stdout: '3\n' },
  { args: cli('apply', 'job.ts#sum', '1', '2'), code: 0, stdout: '3\n' },
  { args: cli('imap', 'job.ts', '1', '2', '-j2'), code: 0, stdout: '2\n4\n' },
  { args: cli('imap-unordered', 'job.ts', '1', '2', '-j1'), code: 0, stdout: '2\n4\n' },
  { args: cli('collect', 'job.ts#even', '1', '2', '-j1'), code: 3, stdout: '"Even"\n', stderr: /1 is odd/ },
  { args: cli('map', '-e', '({ name }) => name', '-i', 'data.csv', '-j1'), code: 0, stdout: '"ada"\n' },
  {
    args: cli('imap', 'job.ts', '1', '2', '--shard', '1/1', '--journal', 'run.ndjson', '-j1'),
    code: 0,
    stdout: '2\n4\n',
  },
  { args: cli('imap', '--exec', 'echo {}', 'a b', '-j1'), code: 0, stdout: '"a b"\n' },
  { args: cli('init', 'started'), code: 0 },
  { args: cli('completion', 'bash'), code: 0, stdout: /complete .*poolrun/ },
  { args: cli('--version'), code: 0, stdout: /^\d+\.\d+\.\d+\n$/ },
  { args: ['pool.mjs'], code: 0, stdout: '[ 2, 4 ] RangeError: 1 is odd\n' },
  { args: ['pool.cjs'], code: 0, stdout: '[ 2, 4 ]\n' },
]

/** Run once the others have ended: these read what one of them has written. */
export const LATER_CASES = [
  { args: cli('journal', 'run.ndjson', '--json'), code: 0, stdout: /^\{"done":2,"failed":0,"notRun":0,/ },
  { args: cli('merge', 'run.ndjson'), code: 0, stdout: '2\n4\n' },
]

/** The commands that `--help` lists, of which each must have a case. */
export function commandsWithoutCase(help) {
  const [, list = ''] = /^Commands:\n((?: .*\n)+)/m.exec(help) ?? []
  const commands = [...list.matchAll(/^ {2}(\S+)/gm)].map(([, name]) => name)
  if (commands.length === 0) throw new Error('--help lists no commands')
  return commands.filter(
    (name) => ![...CASES, ...LATER_CASES].some(({ args }) => args[0] === bin && args[1] === name),
  )
}

export const HELP = cli('--help')
