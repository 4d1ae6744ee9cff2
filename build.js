// `npm run build`: src to dist. What Node loads in every run is CommonJS, which it starts about a fifth of its own
// start-up time sooner than ES modules; the library is handed out as an ES module in front of it.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build, transform } from 'esbuild'

const DIST = path.join(import.meta.dirname, 'dist')
const common = { platform: 'node', target: 'node20.19', logLevel: 'warning' }
/** Where a file is, CommonJS says by other names. */
const define = { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' }
/** Asked for by packages only. */
const URL_OF_FILE = 'const __url = require("node:url").pathToFileURL(__filename).href;'

rmSync(DIST, { recursive: true, force: true })
mkdirSync(DIST)
await buildParent()
await buildWorker()
await buildPage()

/**
 * Two steps, for only ES modules can be split, so that a run loads what it needs and the command line and the library
 * share their classes: the pieces are made as ES modules, then each becomes CommonJS.
 */
async function buildParent() {
  const { outputFiles } = await build({
    ...common,
    entryPoints: ['src/cli/main.ts', 'src/index.ts'],
    absWorkingDir: import.meta.dirname,
    bundle: true,
    splitting: true,
    format: 'esm',
    external: ['esbuild'],
    outdir: DIST,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    sourcemap: 'inline',
    sourcesContent: false,
    write: false,
  })
  for (const { path: file, text } of outputFiles) await writeCommonJs(file, text)
  writeFileSync(path.join(DIST, 'index.js'), "export * from './index.cjs'\n")
}

async function writeCommonJs(file, text) {
  // What is loaded late is ours as well: `import()` would start Node's loader of ES modules for it.
  const late = text.replace(/\bimport\(("\.\/[^"]+")\)/g, 'Promise.resolve().then(() => require($1))')
  const { code, map } = await transform(late, {
    ...common,
    // The first step has warned already.
    logLevel: 'error',
    format: 'cjs',
    define: { ...define, 'import.meta.url': '__url' },
    banner: text.includes('import.meta.url') ? URL_OF_FILE : '',
    sourcefile: file,
    sourcemap: true,
    sourcesContent: false,
  })
  const target = file.replace(/\.js$/, '.cjs')
  const renamed = code.replace(/\brequire\("(\.\/[^"]+)\.js"\)/g, 'require("$1.cjs")')
  const missed = /\b(?:import\("\.|require\("\.[^"]*\.js")/.exec(renamed)
  if (missed !== null) throw new Error(`${target}: ${missed[0]} was not rewritten`)
  writeFileSync(target, `${renamed}//# sourceMappingURL=${path.basename(target)}.map\n`)
  writeFileSync(`${target}.map`, map)
}

async function buildWorker() {
  await build({
    ...common,
    entryPoints: ['src/worker/main.ts'],
    absWorkingDir: import.meta.dirname,
    bundle: true,
    format: 'cjs',
    define,
    outfile: path.join(DIST, 'worker.cjs'),
    sourcemap: true,
    sourcesContent: false,
  })
}

/** Style and script of the HTML report. They are embedded in each report, so the script is a single file. */
async function buildPage() {
  const source = path.join(import.meta.dirname, 'src/report/html')
  copyFileSync(path.join(source, 'page.css'), path.join(DIST, 'page.css'))
  await build({
    entryPoints: [path.join(source, 'page/view/main.ts')],
    bundle: true,
    format: 'iife',
    platform: 'browser',
    target: 'es2022',
    // Not escaped to ASCII: the page declares UTF-8.
    charset: 'utf8',
    logLevel: 'warning',
    outfile: path.join(DIST, 'page.js'),
  })
}
