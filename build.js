// `npm run build`: bundles src into dist. Files are CommonJS, because Node loads ES modules more slowly: the difference is
// a fifth of its own start-up time. The library has two small entries, for `import` and for `require`, that load one of them.
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { build, transform } from 'esbuild'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

const DIST = path.join(import.meta.dirname, 'dist')
// Without white space, because Node compiles what it loads at every start. Names and lines of traces come from the source
// maps. Lines are short, because Node prints the whole line of an error that nobody catches.
const style = {
  platform: 'node',
  target: 'node20.19',
  logLevel: 'warning',
  minifyWhitespace: true,
  lineLimit: 120,
}
/** Folders of the packages that are bundled. */
const bundled = new Set()
const common = { ...style, plugins: [packagesOfOthers()] }
/** CommonJS has other names for these. */
const define = { 'import.meta.filename': '__filename', 'import.meta.dirname': '__dirname' }
/** Only packages need it. */
const URL_OF_FILE = 'const __url = require("node:url").pathToFileURL(__filename).href;'
/** The worker that runs inside poolrun's own process with `--processes 0`. */
const SESSION = 'session.cjs'
const LIBRARY = 'library'

rmSync(DIST, { recursive: true, force: true })
// bin/load.cjs keeps an entry for each file of dist here.
rmSync(path.join(import.meta.dirname, '.cache'), { recursive: true, force: true })
mkdirSync(DIST)
await buildParent()
writeEntries(Object.keys(createRequire(import.meta.url)(`./dist/${LIBRARY}.cjs`)))
await buildWorker('worker/main.ts', 'worker.cjs')
await buildWorker('worker/session.ts', SESSION)
// Nothing prints its errors.
await buildWorker('worker/watch/main.ts', 'watch.cjs', { sourcemap: false })
await buildLoader('import.ts', 'import.cjs')
await buildLoader('loader/install.ts', 'loader.cjs')
await buildLoader('loader/thread.ts', 'loader-thread.cjs')
await buildLoader('loader/preload.ts', 'loader-preload.cjs')
await buildLoader('compiler/run-time.ts', 'compiler.cjs')
await buildWorker('exec/job.ts', 'command.cjs')
await buildPage()
await buildTypes()
writeLicences()

/**
 * Splits the code, so that a run loads only what it needs, while the command line and the library share their classes.
 * esbuild splits only ES modules, so a second step turns each of them into CommonJS.
 */
async function buildParent() {
  const { outputFiles } = await build({
    ...common,
    entryPoints: { main: 'src/cli/main.ts', [LIBRARY]: 'src/index.ts' },
    absWorkingDir: import.meta.dirname,
    bundle: true,
    splitting: true,
    format: 'esm',
    external: ['esbuild'],
    plugins: [...common.plugins, sessionApart()],
    outdir: DIST,
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    sourcemap: 'inline',
    sourcesContent: false,
    write: false,
  })
  for (const { path: file, text } of outputFiles) await writeCommonJs(file, text)
}

/**
 * What `import` and `require` of the library load. A bundler may put this code into a file anywhere, while poolrun starts
 * processes from files of its own: so it looks for the package at run time, in a way that bundlers do not follow. This also
 * makes the classes of `import` and `require` the same.
 * @param {string[]} names of what the library exports, for tools that read them without running it
 */
function writeEntries(names) {
  const load = `
const library = load()
function load() {
  const places = [typeof __filename === 'string' ? __filename : FROM, process.argv[1]].filter(Boolean)
  for (const place of places) {
    let manifest
    try {
      manifest = nodeModule.createRequire(place).resolve('poolrun/package.json')
    } catch {
      continue
    }
    const require = nodeModule.createRequire(manifest)
    require('./bin/refuse-runtime.cjs')
    return require('./dist/${LIBRARY}.cjs')
  }
  throw new Error(
    'poolrun is bundled into ' + places[0] + ', and not installed there. It starts processes from files of its own: run ' +
      '"npm install poolrun" where the program runs, and leave it out of the bundle (esbuild: --external:poolrun; ' +
      "rollup: external: ['poolrun']; webpack: externals: { poolrun: 'node-commonjs poolrun' })"
  )
}
`
  const module = [
    // webpack would replace a named import.
    "import nodeModule from 'node:module'",
    load.replace('FROM', 'import.meta.url'),
    ...names.map((name) => `export const ${name} = library.${name}`),
  ]
  const commonJs = [
    'let nodeModule',
    'try {',
    "  nodeModule = require('node:module')",
    '} catch {',
    '  // esbuild bundles for ES modules without `require`.',
    "  nodeModule = process.getBuiltinModule('node:module')",
    '}',
    load.replace('FROM', 'undefined'),
    ...names.map((name) => `exports.${name} = library.${name}`),
  ]
  writeFileSync(path.join(DIST, 'index.js'), `${module.join('\n')}\n`)
  writeFileSync(path.join(DIST, 'index.cjs'), `${commonJs.join('\n')}\n`)
}

/** One declaration file. It belongs to the CommonJS entry, because an ES module can re-export from that one, not the reverse. */
async function buildTypes() {
  const input = path.join(import.meta.dirname, 'src/index.ts')
  const bundle = await rollup({ input, plugins: [dts()], external: /^[^./]/ })
  await bundle.write({ file: path.join(DIST, 'index.d.cts') })
  await bundle.close()
  writeFileSync(path.join(DIST, 'index.d.ts'), "export * from './index.cjs'\n")
}

/** Notes which packages are bundled, and leaves them out of source maps: nobody reads their frames. */
function packagesOfOthers() {
  return {
    name: 'packages-of-others',
    setup({ initialOptions, onLoad, onEnd }) {
      initialOptions.metafile = true
      onLoad({ filter: /[\\/]node_modules[\\/].*\.([cm]?js|json)$/ }, ({ path: file }) => {
        const text = readFileSync(file, 'utf8').replace(/^\/\/# sourceMappingURL=.*$/gm, '')
        const code = file.endsWith('.json') ? `module.exports = ${text}` : text
        return { contents: code + emptyMap(code), loader: 'js' }
      })
      onEnd(({ metafile }) => {
        for (const { inputs } of Object.values(metafile.outputs))
          for (const [file, { bytesInOutput }] of Object.entries(inputs)) {
            const folder = /^.*\bnode_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0]
            if (folder !== undefined && bytesInOutput > 0) bundled.add(folder)
          }
      })
    },
  }
}

/** esbuild ignores a source map without a mapping, so there is one for a line after the last. */
function emptyMap(code) {
  const map = { version: 3, sources: [''], mappings: `${';'.repeat(code.split('\n').length + 1)}AAAA` }
  const base64 = Buffer.from(JSON.stringify(map)).toString('base64')
  return `\n//# sourceMappingURL=data:application/json;base64,${base64}`
}

/** Those of the packages that are bundled demand that their text is distributed with them. */
function writeLicences() {
  const sections = [...bundled].map((folder) => {
    const name = path.join(import.meta.dirname, folder)
    const {
      name: title,
      version,
      license,
    } = JSON.parse(readFileSync(path.join(name, 'package.json'), 'utf8'))
    const file = readdirSync(name).find((entry) => /^licen[cs]e(\.\w+)?$/i.test(entry))
    if (file === undefined) throw new Error(`${title}: no file with its licence (${license})`)
    return `# ${title}@${version}\n\n${readFileSync(path.join(name, file), 'utf8').trim()}\n`
  })
  const heading = 'The code of these packages is part of the files in this folder.\n'
  writeFileSync(path.join(DIST, 'LICENSES.txt'), [heading, ...sections.sort()].join('\n'))
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
    ...style,
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
  const renamed = withPlainExports(code).replace(/\brequire\("(\.\/[^"]+)\.js"\)/g, 'require("$1.cjs")')
  const missed = /\b(?:import\("\.|require\("\.[^"]*\.js")/.exec(renamed)
  if (missed !== null) throw new Error(`${target}: ${missed[0]} was not rewritten`)
  const hasOwnCode = JSON.parse(map).sources.some((source) => source.startsWith('../src/'))
  writeFileSync(
    target,
    hasOwnCode ? `${renamed}//# sourceMappingURL=${path.basename(target)}.map\n` : renamed,
  )
  if (hasOwnCode) writeFileSync(`${target}.map`, map)
}

/**
 * esbuild exports through two getters, which V8 does not inline: a call from another file takes up to 25 ns more. Files never
 * import each other in a circle, so that plain properties, set at the end, are the same. Positions stay, for source maps.
 */
function withPlainExports(code) {
  const found = /__export\(\s*\w+,\s*\{([^}]*)\}\);\s*module\.exports=__toCommonJS\(\s*\w+\s*\);/.exec(code)
  if (found === null) {
    if (/\bmodule\.exports=__toCommonJS\(/.test(code)) throw new Error('its exports were not found')
    return code
  }
  const [statement, getters] = found
  const exported = getters.replaceAll(/:\s*\(\)=>\s*/g, ':')
  const blank = statement.replaceAll(/[^\n]/g, ' ')
  return `${code.replace(statement, () => blank).replace(/0&&\(module\.exports=\{[^}]*\}\);\s*$/, '')}module.exports={${exported}};\n`
}

async function buildWorker(source, target, options) {
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
    ...options,
  })
}

/** What loads TypeScript in the process of a job, in files that load when they are needed. */
async function buildLoader(source, target) {
  await build({
    ...common,
    entryPoints: [`src/job/${source}`],
    absWorkingDir: import.meta.dirname,
    bundle: true,
    format: 'cjs',
    define: { ...define, 'import.meta.url': '__url' },
    banner: { js: URL_OF_FILE },
    external: ['esbuild'],
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
