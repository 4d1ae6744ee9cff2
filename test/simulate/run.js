// Starts the simulator from its TypeScript, without a build step of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const { outputFiles } = await build({
  entryPoints: ['test/simulate/main.ts'],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
  external: ['esbuild'],
  sourcemap: 'inline',
  logLevel: 'warning',
})
const folder = mkdtempSync(join(tmpdir(), 'poolrun-simulate-'))
const file = join(folder, 'main.mjs')
writeFileSync(file, outputFiles[0].contents)
process.setSourceMapsEnabled(true)
try {
  await import(pathToFileURL(file).href)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
