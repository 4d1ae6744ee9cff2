// Starts the chaos run from its TypeScript, without a build step of its own.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const { outputFiles } = await build({
  entryPoints: ['test/chaos/main.ts'],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
})
const folder = mkdtempSync(join(tmpdir(), 'poolrun-chaos-main-'))
const file = join(folder, 'main.mjs')
writeFileSync(file, outputFiles[0].contents)
try {
  await import(pathToFileURL(file).href)
} finally {
  rmSync(folder, { recursive: true, force: true })
}
