// esbuild plugin that makes a bundled job behave as if it were not bundled: packages stay external, imported by absolute
// path, and every source file keeps its own `import.meta`, `__dirname` and `require.resolve`.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { ImportKind, Loader, OnLoadResult, OnResolveResult, Plugin } from 'esbuild'
import { isPackage } from './package-files.js'

/** What a bundle was made from, filled in while compiling. */
export interface BundleTrace {
  /** Absolute path of each source file, and the sha256 of the bytes that were compiled. */
  readonly sources: Map<string, string>
  /** Absolute paths of the files that packages were resolved to. */
  readonly packages: Set<string>
}

export interface BundlePluginOptions {
  /** Give each module its own `import.meta`, `__dirname` and so on. */
  readonly defineMeta: boolean
  /** Decide by a file's syntax, and not by its package's `type`, whether it is CommonJS. */
  readonly ignorePackageType: boolean
}

/** For esbuild's `define`: what a source file calls its own path, and what that is compiled to. */
export const META_NAMES: Readonly<Record<string, string>> = {
  'import.meta': '__poolrun_meta',
  __dirname: '__poolrun_meta.dirname',
  __filename: '__poolrun_meta.filename',
  'require.resolve': '__poolrun_require.resolve',
}
const USES_META = /\bimport\s*\.\s*meta\b|\b__(?:dir|file)name\b|\brequire\s*\.\s*resolve\b/
/** Namespace of virtual modules: `poolrun-meta:/path/job.ts` exports the `import.meta` of that file. */
const META = 'poolrun-meta'

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
const READ_BY_NODE = new Set(['.js', '.mjs', '.cjs', '.node'])

/** Marks the plugin's own calls of `resolve`, which come back to its own `onResolve`. */
const OWN_CALL = { poolrun: true }

/** Stands for the entry where esbuild would take the file's name for a pattern. */
export const ENTRY = 'poolrun-entry'

/** `entry.text`, where given, is TypeScript that is compiled in place of the file. */
export function bundlePlugin(
  trace: BundleTrace,
  options: BundlePluginOptions,
  entry: { readonly file: string; readonly text: string | undefined },
): Plugin {
  return {
    name: 'poolrun',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^${META}:`) }, (args) => ({
        path: args.path.slice(META.length + 1),
        namespace: META,
        sideEffects: false,
      }))
      build.onLoad({ filter: /./, namespace: META }, (args) => ({
        contents: metaModule(args.path),
        loader: 'js',
      }))

      // Each call is a round trip to esbuild's process. Calling for relative imports, too, doubles the time of a big job.
      const filter = options.ignorePackageType ? /./ : /^[^.]|\.node$/
      build.onResolve({ filter }, async (args) => {
        if (args.pluginData === OWN_CALL || args.namespace === META) return undefined
        if (args.kind === 'entry-point' && (args.path === ENTRY || entry.text !== undefined))
          return { path: entry.file }
        if (isBuiltin(args.path) || args.path.startsWith('node:')) return { path: args.path, external: true }
        const specifier = args.path.startsWith('file:') ? fileURLToPath(args.path) : args.path
        const { kind, importer, resolveDir } = args
        const found = await build.resolve(specifier, {
          kind,
          importer,
          resolveDir,
          namespace: 'file',
          with: args.with,
          pluginData: OWN_CALL,
        })
        if (found.errors.length > 0) return specifier === 'poolrun' ? external(ownEntry(), kind) : undefined
        if (found.external || found.namespace !== 'file') return undefined
        if (kind !== 'entry-point' && staysExternal(specifier, found.path, resolveDir)) {
          trace.packages.add(found.path)
          return external(found.path, kind)
        }
        // To a path that comes from a plugin esbuild does not apply the package's `type`.
        return options.ignorePackageType || specifier !== args.path ? { path: found.path } : undefined
      })

      build.onLoad({ filter: /./, namespace: 'file' }, async (args): Promise<OnLoadResult | undefined> => {
        if (args.path === entry.file && entry.text !== undefined)
          return { contents: prepare(entry.text, args.path, options.defineMeta), loader: 'ts' }
        const bytes = await readFile(args.path)
        trace.sources.set(args.path, createHash('sha256').update(bytes).digest('hex'))
        const loader = LOADERS[path.extname(args.path)]
        // Other import attributes (`text`, `bytes`) are handled by esbuild.
        if (loader === undefined || (args.with.type ?? 'json') !== 'json') return undefined
        if (loader === 'json') return { contents: bytes, loader }
        return { contents: prepare(bytes.toString(), args.path, options.defineMeta), loader }
      })
    },
  }
}

/**
 * Imports the file's meta module at the end of its source, so that no line or column moves. Imports are hoisted, so it
 * is evaluated before the source.
 */
function prepare(text: string, file: string, defineMeta: boolean): string {
  const source = text.startsWith('#!') ? `//${text.slice(2)}` : text
  if (!defineMeta || !USES_META.test(source)) return source
  return `${source}\n;import{__poolrun_meta,__poolrun_require}from${JSON.stringify(`${META}:${file}`)};`
}

function metaModule(file: string): string {
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

/** A package written in TypeScript (in a workspace, for example) is compiled with the job: Node could not read it. */
function staysExternal(specifier: string, file: string, directory: string): boolean {
  const extension = path.extname(file)
  if (!READ_BY_NODE.has(extension)) return false
  if (extension === '.node' || file.split(path.sep).includes('node_modules')) return true
  return !/^[.#/]/.test(specifier) && !path.isAbsolute(specifier) && isPackage(specifier, directory)
}

/** By absolute path: the output is in a cache directory, where a bare name would resolve to another package or none. */
function external(file: string, kind: ImportKind): OnResolveResult {
  return { path: kind === 'require-call' ? file : pathToFileURL(file).href, external: true }
}

/** The library of the running poolrun, for a job that has no poolrun installed beside it. */
function ownEntry(): string {
  return path.join(path.dirname(ownPackageFile()), 'dist', 'index.js')
}

export function ownPackageFile(): string {
  return createRequire(import.meta.filename).resolve('poolrun/package.json')
}
