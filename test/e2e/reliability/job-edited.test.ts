// A job that is edited while it runs: no run mixes the results of two versions.
import { expect, it } from 'vitest'
import { runCli } from '../../helpers/run-cli.js'
import { tempSpace } from '../../helpers/temp-space.js'

/** Item 1 edits a file and ends its worker, so that another worker starts after the edit. */
const job = (edited: string, replaced: string) => `
import { readFileSync, writeFileSync } from 'node:fs'
import { version } from './version.mjs'
export default (n) => {
  if (n === 1) {
    const file = new URL('${edited}', import.meta.url)
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(${replaced}))
    process.exit(1)
  }
  return version + own
}
const own = 'old'
`

const args = (file: string) => ['collect', file, '-j', '1', '--chunk-size', '1', '0', '1', '2']

it.each([
  ['the job', './job.mjs', "'old', 'new'", 'job.mjs'],
  ['a file that it imports', './version.mjs', "'v1', 'v2'", 'version.mjs'],
])(
  '%s in JavaScript: the run ends with exit code 5 and names the file',
  async (_, edited, replaced, name) => {
    const { dir, write } = tempSpace()
    write({ 'job.mjs': job(edited, replaced), 'version.mjs': "export const version = 'v1'" })
    const { stdout, stderr, exitCode } = await runCli(args('job.mjs'), { cwd: dir })
    expect(exitCode).toBe(5)
    expect(stdout).toBe('"v1old"\n')
    expect(stderr).toContain(
      `poolrun collect: the job changed during the run: ${name} is not what it was at the start\n`,
    )
  },
)

it.each(['while the first worker loads it', 'while the first worker runs its initializer'])(
  'a job that is edited %s: no other worker goes on with what it has become',
  async (when) => {
    const { dir, write } = tempSpace()
    write({
      'job.mjs': `import { readFileSync, writeFileSync } from 'node:fs'
        const own = 'old'
        const edit = () => {
          const file = new URL(import.meta.url)
          writeFileSync(file, readFileSync(file, 'utf8').replaceAll("'old'", "'new'"))
        }
        ${when.includes('initializer') ? 'export const initializer = edit' : 'edit()'}
        export default (n) => {
          if (n === 1) process.exit(1)
          return own
        }`,
    })
    const { stdout, stderr, exitCode } = await runCli(args('job.mjs'), { cwd: dir })
    expect(stdout).not.toContain('new')
    expect(stderr).toContain('poolrun collect: the job changed during the run: job.mjs is not what')
    expect(exitCode).toBe(5)
  },
)

it('a job in TypeScript: the run goes on with the job as it was at its start', async () => {
  const { dir, write } = tempSpace()
  write({
    'job.ts': job('./version.mjs', "'v1', 'v2'").replace('(n)', '(n: number): string'),
    'version.mjs': "export const version = 'v1'",
  })
  const { stdout, exitCode } = await runCli(args('job.ts'), { cwd: dir })
  expect(exitCode).toBe(3)
  expect(stdout).toBe('"v1old"\n"v1old"\n')
})

it('a job that is not edited: a worker that crashed is replaced', async () => {
  const { dir, write } = tempSpace()
  write({ 'job.mjs': job('./job.mjs', "'own', 'own'"), 'version.mjs': "export const version = 'v1'" })
  const { stdout, exitCode } = await runCli(args('job.mjs'), { cwd: dir })
  expect(exitCode).toBe(3)
  expect(stdout).toBe('"v1old"\n"v1old"\n')
})
