// `npm run build`: bundles src into dist. Files are CommonJS, because Node loads ES modules more slowly: the difference is
// a fifth of its own start-up time. The library's entry is an ES module that re-exports one of them.
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { build, transform } from 'esbuild'

const DIST = path.join(import.meta.dirname, 'dist')
// Without white space, because Node compiles what it loads at every start. Names and lines of traces come from the source maps.
const common = { platform: 'node', target: 'node20.19', logLevel: 'warning', minifyWhitespace: true }
/** CommonJS has other names for these. */
const define = { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' }
/** Only packages need it. */
const URL_OF_FILE = 'const __url = require("node:url").pathToFileURL(__filename).href;'
/** The worker that runs inside poolrun's own process with `--processes 0`. */
const SESSION = 'session.cjs'

rmSync(DIST, { recursive: true, force: true })
mkdirSync(DIST)
await buildParent()
await buildWorker('worker/main.ts', 'worker.cjs')
await buildWorker('worker/session.ts', SESSION)
await buildWorker('worker/watch/main.ts', 'watch.cjs')
await buildPage()

/**
 * Splits the code, so that a run loads only what it needs, while the command line and the library share their classes.
 * esbuild splits only ES modules, so a second step turns each of them into CommonJS.
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
    plugins: [sessionApart()],
    outdir: DIST,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    sourcemap: 'inline',
    sourcesContent: false,
    write: false,
  })
  for (const { path: file, text } of outputFiles) await writeCommonJs(file, text)
  const library = "import '../bin/refuse-runtime.cjs'\nexport * from './index.cjs'\n"
  writeFileSync(path.join(DIST, 'index.js'), library)
}

/** Split together with it, the code that every run loads would be in twice as many files, which load more slowly. */
function sessionApart() {
  return {
    name: 'session-apart',
    setup({ onResolve }) {
      onResolve({ filter: /\/worker\/session\.js$/ }, ({ kind }) =>
        kind === 'dynamic-import'
          ? { path: `./${SESSION.replace('.cjs', '.js')}`, external: true }
          : undefined,
      )
    },
  }
}

async function writeCommonJs(file, text) {
  // Our own modules load late with `require`: `import()` would start Node's ES module loader.
  const late = text.replace(/\bimport\(("\.\/[^"]+")\)/g, 'Promise.resolve().then(() => require($1))')
  const { code, map } = await transform(late, {
    ...common,
    // The first step has reported the warnings.
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

async function buildWorker(source, target) {
  await build({
    ...common,
    entryPoints: [`src/${source}`],
    inject: ['src/worker/globals.ts'],
    absWorkingDir: import.meta.dirname,
    bundle: true,
    format: 'cjs',
    define,
    outfile: path.join(DIST, target),
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
