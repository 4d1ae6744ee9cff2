// The README and the pages of docs/ show what the commands really print. Each ```console block holds commands after `$ `,
// each followed by its output: stdout if the command succeeds, stdout and then stderr if it fails.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { normalise } from '../helpers/normalise.js'
import { root, runShell } from '../helpers/run-cli.js'

const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
]

const textOf = (page: string) => readFileSync(join(root, page), 'utf8')

function examplesOf(page: string): [command: string, output: string][] {
  const blocks = [...textOf(page).matchAll(/^```console\n(.*?)^```$/gms)].map(([, block]) => block!)
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((example): [string, string] => {
        const end = example.indexOf('\n')
        return [example.slice(0, end), example.slice(end + 1)]
      }),
  )
}

const examples = pages.map((page) => ({ page, examples: examplesOf(page) }))

it('has examples', () => {
  expect(examplesOf('README.md').length).toBeGreaterThanOrEqual(6)
})

describe.each(examples.filter((entry) => entry.examples.length > 0))(
  '$page shows what is printed by',
  (entry) => {
    it.each(entry.examples)('%s', async (command, output) => {
      const run = await runShell(command.replace(/\bnpx poolrun\b/, 'poolrun'))
      expect(normalise(run.exitCode === 0 ? run.stdout : run.stdout + run.stderr)).toBe(normalise(output))
    })
  },
)

const shellBlocks = [...textOf('README.md').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block!)

// What its command writes is checked in test/e2e/example-jobs.test.ts.
it('starts with what installs it and the first command, and continues with what installs and tests it', () => {
  expect(shellBlocks[0]).toMatch(/^npm ci\nnpx poolrun .*\n$/)
  expect(shellBlocks[1]).toBe('npm cit\n')
})

it('stays short enough to read', () => {
  expect(textOf('README.md').split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1_600)
})

/** As GitHub derives an anchor from a heading. */
function anchorsOf(page: string): string[] {
  const withoutCode = textOf(page).replaceAll(/^```.*?^```$/gms, '')
  return [...withoutCode.matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

it.each(pages)('%s has no broken links', (page) => {
  const text = textOf(page).replaceAll(/^```.*?^```$/gms, '')
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!)
  const broken = links
    .filter((link) => !/^https?:/.test(link))
    .filter((link) => {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? page : join(page, '..', path)
      if (!existsSync(join(root, target))) return true
      return anchor !== undefined && !anchorsOf(target).includes(anchor)
    })
  expect(broken).toEqual([])
})
