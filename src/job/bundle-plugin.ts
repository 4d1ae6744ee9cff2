// The part of the compiler that keeps a bundled job at home: packages stay outside, by absolute address, and each
// source file goes on knowing its own place. Knows nothing of the cache.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ImportKind, Loader, OnLoadResult, OnResolveResult, Plugin } from 'esbuild'
import { isPackage } from './package-files.js'

/** Gathered while compiling: what the result was made from. */
export interface BundleTrace {
  /** Absolute source file to the sha256 of the very bytes that were compiled. */
  readonly sources: Map<string, string>
  /** Absolute files that packages were resolved to. */
  readonly packages: Set<string>
}

export interface BundlePluginOptions {
  /** Give each module its own `import.meta`, `__dirname` … . */
  readonly places: boolean
  /** Let a file's syntax, not the package's `type`, decide whether it is CommonJS. */
  readonly ignorePackageType: boolean
}

/** Free names in a source file that mean its own place, and what they are compiled to. */
export const PLACE_NAMES: Readonly<Record<string, string>> = {
  'import.meta': '__poolrun_meta',
  __dirname: '__poolrun_meta.dirname',
  __filename: '__poolrun_meta.filename',
  'require.resolve': '__poolrun_require.resolve',
}
const MENTIONS_PLACE = /\bimport\s*\.\s*meta\b|\b__(?:dir|file)name\b|\brequire\s*\.\s*resolve\b/
const PLACE = 'poolrun-place'

const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.js': 'js',
  '.mjs': 'js',
  '.cjs': 'js',
  '.jsx': 'jsx',
  '.json': 'json',
}
const NODE_READS = new Set(['.js', '.mjs', '.cjs', '.node'])

const OURS = { ours: true }

export function bundlePlugin(trace: BundleTrace, options: BundlePluginOptions): Plugin {
  return {
    name: 'poolrun',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${PLACE}:`) }, (args) => ({
        path: args.path.slice(PLACE.length + 1),
        namespace: PLACE,
        sideEffects: false,
      }))
      build.onLoad({ filter: /./, namespace: PLACE }, (args) => ({
        contents: placeModule(args.path),
        loader: 'js',
      }))

      // A round trip a relative import would double the time of a big job: mostly, esbuild resolves those itself.
      const filter = options.ignorePackageType ? /./ : /^[^.]|\.node$/
      build.onResolve({ filter }, async (args) => {
        if (args.pluginData === OURS || args.namespace === PLACE) return undefined
        if (isBuiltin(args.path) || args.path.startsWith('node:')) return { path: args.path, external: true }
        const specifier = args.path.startsWith('file:') ? fileURLToPath(args.path) : args.path
        const { kind, importer, resolveDir } = args
        const found = await build.resolve(specifier, {
          kind,
          importer,
          resolveDir,
          namespace: 'file',
          with: args.with,
          pluginData: OURS,
        })
        if (found.errors.length > 0) return specifier === 'poolrun' ? outside(ownEntry(), kind) : undefined
        if (found.external || found.namespace !== 'file') return undefined
        if (kind !== 'entry-point' && staysOutside(specifier, found.path, resolveDir)) {
          trace.packages.add(found.path)
          return outside(found.path, kind)
        }
        // A path given by a plugin is free of its package's `type`.
        return options.ignorePackageType || specifier !== args.path ? { path: found.path } : undefined
      })

      build.onLoad({ filter: /./, namespace: 'file' }, async (args): Promise<OnLoadResult | undefined> => {
        const bytes = await readFile(args.path)
        trace.sources.set(args.path, createHash('sha256').update(bytes).digest('hex'))
        const loader = LOADERS[path.extname(args.path)]
        // An attribute that names another reading (`text`, `bytes`) is esbuild's to follow.
        if (loader === undefined || (args.with.type ?? 'json') !== 'json') return undefined
        if (loader === 'json') return { contents: bytes, loader }
        return { contents: prepare(bytes.toString(), args.path, options.places), loader }
      })
    },
  }
}

/**
 * What a module needs to know its own place is imported at its end: imports are hoisted, so that it is there in time,
 * and no line or column of the source moves.
 */
function prepare(text: string, file: string, places: boolean): string {
  const source = text.startsWith('#!') ? `//${text.slice(2)}` : text
  if (!places || !MENTIONS_PLACE.test(source)) return source
  return `${source}\n;import{__poolrun_meta,__poolrun_require}from${JSON.stringify(`${PLACE}:${file}`)};`
}

function placeModule(file: string): string {
  const url = JSON.stringify(pathToFileURL(file).href)
  return `
    import { createRequire, isBuiltin } from 'node:module'
    import { pathToFileURL } from 'node:url'
    export const __poolrun_require = /* @__PURE__ */ createRequire(${url})
    export const __poolrun_meta = {
      url: ${url},
      filename: ${JSON.stringify(file)},
      dirname: ${JSON.stringify(path.dirname(file))},
      main: false,
      resolve(specifier) {
        if (/^[.][.]?[/]|^[/]|^[a-z][a-z0-9+.-]+:/i.test(specifier)) return new URL(specifier, ${url}).href
        if (isBuiltin(specifier)) return 'node:' + specifier
        return pathToFileURL(__poolrun_require.resolve(specifier)).href
      },
    }`
}

/** TypeScript in a package (a workspace, say) is compiled with the job: Node could not read it. */
function staysOutside(specifier: string, file: string, directory: string): boolean {
  const extension = path.extname(file)
  if (!NODE_READS.has(extension)) return false
  if (extension === '.node' || file.split(path.sep).includes('node_modules')) return true
  return !/^[.#/]/.test(specifier) && !path.isAbsolute(specifier) && isPackage(specifier, directory)
}

/** The output lies in a cache directory, from where a bare name would mean another package or none. */
function outside(file: string, kind: ImportKind): OnResolveResult {
  return { path: kind === 'require-call' ? file : pathToFileURL(file).href, external: true }
}

/** Of the poolrun that is running: what a job gets that has none installed beside it. */
function ownEntry(): string {
  return path.join(path.dirname(ownPackageFile()), 'dist', 'index.js')
}

export function ownPackageFile(): string {
  return createRequire(import.meta.filename).resolve('poolrun/package.json')
}
