// `npm run docs`: writes docs/cli.md from the tables in src/cli.
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { build } from 'esbuild'

const { outputFiles } = await build({
  entryPoints: [path.join(import.meta.dirname, '../src/cli/reference.ts')],
  bundle: true,
  format: 'esm',
  platform: 'node',
  write: false,
})
const { reference } = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`)
writeFileSync(path.join(import.meta.dirname, 'cli.md'), reference())
