// Starts the simulator from its TypeScript, without a build step of its own.
//   npm run simulate -- --seed N [--runs N] [--seconds S] [--trace] [--fault NAME]
//   npm run simulate -- --faults [--find]   applies each fault of faults.ts, and shows that its seed finds it (or looks for one)
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'

/** More runs than that are not worth a fault: it should be found sooner. */
const MAX_RUNS = 20_000

const { values, tokens } = parseArgs({
  strict: false,
  tokens: true,
  options: { faults: { type: 'boolean' }, find: { type: 'boolean' }, fault: { type: 'string' } },
})
const folder = mkdtempSync(join(tmpdir(), 'poolrun-simulate-'))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
if (values.faults === true) await checkFaults(values.find === true)
else await simulate(values.fault)

async function simulate(name) {
  const fault =
    name === undefined ? undefined : (await load('faults.ts')).FAULTS.find((each) => each.name === name)
  if (name !== undefined && fault === undefined) throw new Error(`there is no fault "${name}"`)
  // The rest is for the simulator.
  const own = tokens.filter((token) => token.kind === 'option' && token.name === 'fault')
  process.argv = process.argv.filter((_, i) => !own.some(({ index }) => i === index + 2 || i === index + 3))
  process.setSourceMapsEnabled(true)
  await load('main.ts', fault)
}

/** Bundles and imports a file of this folder, with a fault in the source if there is one. */
async function load(entry, fault) {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, entry)],
    bundle: true,
    format: 'esm',
    platform: 'node',
    write: false,
    external: ['esbuild'],
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: fault === undefined ? [] : [withFault(fault)],
  })
  const file = join(folder, entry.replace('.ts', '.mjs'))
  writeFileSync(file, outputFiles[0].contents)
  return import(pathToFileURL(file).href)
}

function withFault({ file, search, replace }) {
  const path = resolve(import.meta.dirname, '../..', file)
  return {
    name: 'fault',
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, (args) => {
        if (args.path !== path) return undefined
        const parts = readFileSync(path, 'utf8').split(search)
        if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${search}`)
        return { contents: parts.join(replace), loader: 'ts' }
      })
    },
  }
}

async function checkFaults(isSearch) {
  const { FAULTS } = await load('faults.ts')
  let missed = 0
  for (const { name, seed } of FAULTS) {
    const which = isSearch ? ['--seed', '1', '--runs', String(MAX_RUNS)] : ['--seed', String(seed)]
    const args = [import.meta.filename, ...which, '--fault', name]
    const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    const found = /^simulate: (seed \d+: .*)/m.exec(stdout)?.[1]
    if (status !== 1 || found === undefined) missed++
    console.log(`${name}\n    ${found?.slice(0, 200) ?? `not found ${stderr}`}`)
  }
  console.log(`simulate: ${FAULTS.length - missed} of ${FAULTS.length} faults were found`)
  process.exitCode = missed === 0 ? 0 : 1
}
