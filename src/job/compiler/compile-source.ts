// Compiles one source file to the module format that Node gives it. As a sequence of requests to esbuild, so that it
// runs both in the parent, which waits for many files, and in a worker, where `require` cannot wait.
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Exports as CommonJsNames, parse as parseCommonJs } from 'cjs-module-lexer'
import { type Import, parse } from 'es-module-lexer/js'
import type { Loader, Message, TransformOptions, TransformResult } from 'esbuild'
import { isCompiledFile } from '../file-kinds.js'
import { hasDecorators, withMetadata } from './decorator-metadata.js'
import type { SourceFile } from './source-file.js'

/** Something that the code names with a literal, or does not. */
export interface Request {
  readonly specifier: string | undefined
  readonly kind: 'import' | 'require'
  /** By a declaration: it is loaded with the file. */
  readonly isStatic: boolean
  readonly json: boolean
  /** Where the specifier is: in `code` for ES modules, else in `located`. */
  readonly start: number
  readonly end: number
}

export interface CompiledSource {
  readonly format: 'module' | 'commonjs' | 'json'
  readonly isCompiled: boolean
  readonly code: string
  readonly map?: string
  /** The text that the locations of requests refer to, and its map. */
  readonly located: { readonly code: string; readonly map?: string }
  readonly requests: readonly Request[]
  readonly names: readonly string[]
  readonly reexports: readonly string[]
  /** It may await at top level. */
  readonly mayAwait: boolean
}

/** Thrown where the text does not compile. */
export class SourceError extends Error {
  readonly messages: readonly Message[]
  constructor(messages: readonly Message[]) {
    super(messages[0]?.text ?? 'it does not compile')
    this.messages = messages
  }
}

type Answer = TransformResult | readonly Message[]
export type Compilation = Generator<[string, TransformOptions], CompiledSource, Answer>

const LOADERS: Readonly<Record<string, Loader>> = {
  '.ts': 'ts',
  '.mts': 'ts',
  '.cts': 'ts',
  '.tsx': 'tsx',
  '.jsx': 'jsx',
}
/** How esbuild ends an ES module that it has made from a CommonJS one: it has seen `module`, `exports` or `export =`. */
const WAS_COMMONJS = /^export default require_\w+\(\);\s*$/m
/** What Node gives a CommonJS module cannot be declared in one. */
const DECLARES_COMMONJS =
  /^(?:export )?(?:const|let|class) (?:__filename|__dirname|require|module|exports)\b/m
const NO_TOP_LEVEL_AWAIT = /^Top-level await is (?:currently )?not supported/
const LITERAL_REQUIRE = /\brequire\(\s*(["'])((?:(?!\1)[^\\\n])+)\1\s*\)/g

export function* compileSource(source: SourceFile): Compilation {
  const { file, packageType } = source
  const text = source.text.replace(/^\uFEFF/, '')
  if (!source.isExpression && !isCompiledFile(file)) return readJavaScript(source, text)
  const extension = path.extname(file)
  const plain = text.startsWith('#!') ? `//${text.slice(2)}` : text
  const { typescript } = source
  const input = typescript === undefined ? plain : withMetadata(plain, source, typescript)
  const loader = typescript === undefined ? (LOADERS[extension] ?? 'ts') : 'jsx'
  const options = optionsFor(source, loader, plain)
  const module = yield [input, asModule(options, input)]
  if (isMessages(module)) throw new SourceError(module)
  const [imports, , , hasModuleSyntax] = parse(module.code)
  const isCommonJs = WAS_COMMONJS.test(module.code)
  if (source.isExpression || extension === '.mts') return finish(source, module, 'module', module, imports)
  const isModule = packageType === 'module' && extension !== '.cts' && !isCommonJs
  if (hasModuleSyntax && extension !== '.cts' && DECLARES_COMMONJS.test(module.code))
    return finish(source, module, 'module', module, imports)
  if (isModule && (hasModuleSyntax || !/\b(?:module|exports|require)\b/.test(input)))
    return finish(source, module, 'module', module, imports)
  const commonJs = yield [input, { ...options, format: 'cjs', define: { 'import.meta': META } }]
  if (!isMessages(commonJs)) return finish(source, commonJs, 'commonjs', module, imports)
  // With `await` at top level it can only be an ES module.
  if (commonJs.every(({ text }) => NO_TOP_LEVEL_AWAIT.test(text)))
    return finish(source, module, 'module', module, imports)
  throw new SourceError(commonJs)
}

function isMessages(answer: Answer): answer is readonly Message[] {
  return Array.isArray(answer)
}

const META = '__poolrun_meta'
const NAMES = {
  __dirname: '__poolrun_dirname',
  __filename: '__poolrun_filename',
  require: '__poolrun_require',
}

function optionsFor({ file, compilerOptions }: SourceFile, loader: Loader, text: string): TransformOptions {
  return {
    loader,
    sourcefile: path.basename(file),
    sourcemap: 'external',
    sourcesContent: false,
    target: `node${process.versions.node}`,
    platform: 'node',
    charset: 'utf8',
    logLevel: 'silent',
    legalComments: 'inline',
    // Only where esbuild rewrites classes: it adds calls to the text of functions.
    keepNames: hasDecorators(text),
    tsconfigRaw: { compilerOptions: compilerOptions as object },
  }
}

/** CONTRACT: `__dirname` means the original file in ES modules, too. */
function asModule(options: TransformOptions, text: string): TransformOptions {
  const used = Object.entries(NAMES).filter(([name]) => new RegExp(`\\b${name}\\b`).test(text))
  return { ...options, format: 'esm', define: Object.fromEntries(used) }
}

function finish(
  source: SourceFile,
  { code, map }: TransformResult,
  format: 'module' | 'commonjs',
  module: TransformResult,
  imports: readonly Import[],
): CompiledSource {
  const prologue = format === 'module' ? modulePrologue(code) : commonJsPrologue(code)
  const epilogue = nameDefault(code)
  const whole = `${prologue}${code}${epilogue}`
  const finalMap = mapOf(map, source.file, prologue)
  const shift = format === 'module' ? prologue.length : 0
  const names = format === 'module' ? NO_NAMES : namesOf(whole)
  return {
    format,
    isCompiled: true,
    code: whole,
    map: finalMap,
    located: format === 'module' ? { code: whole, map: finalMap } : module,
    requests: requestsOf(whole, format, imports, shift),
    ...names,
    mayAwait: format === 'module' && /\bawait\b/.test(code),
  }
}

function mapOf(map: string, file: string, prologue: string): string {
  const parsed = JSON.parse(map) as { sources: string[]; mappings: string }
  parsed.sources = [pathToFileURL(file).href]
  if (prologue !== '') parsed.mappings = `;${parsed.mappings}`
  return JSON.stringify(parsed)
}

function modulePrologue(code: string): string {
  const parts: string[] = []
  if (code.includes(NAMES.require)) {
    parts.push(
      `import{createRequire as __poolrun_createRequire}from"node:module";const ${NAMES.require}=__poolrun_createRequire(import.meta.url);`,
    )
  }
  if (code.includes(NAMES.__dirname)) parts.push(`const ${NAMES.__dirname}=import.meta.dirname;`)
  if (code.includes(NAMES.__filename)) parts.push(`const ${NAMES.__filename}=import.meta.filename;`)
  return parts.length === 0 ? '' : `${parts.join('')}\n`
}

function commonJsPrologue(code: string): string {
  if (!code.includes(META)) return ''
  const url = 'require("node:url").pathToFileURL(__filename).href'
  const resolve = 'resolve:s=>globalThis[Symbol.for("poolrun.loader")].resolve(s,__filename)'
  return `const ${META}={url:${url},dirname:__dirname,filename:__filename,main:false,${resolve}};\n`
}

/** Of a default export without a name. Node calls it `default`, esbuild after the file. */
function nameDefault(code: string): string {
  const local = /^ {2}(?:default: \(\) => (\w+_default)|(\w+_default) as default)\b/m
    .exec(code)
    ?.slice(1)
    .find(Boolean)
  if (local === undefined) return ''
  return `\nif(typeof ${local}==="function"&&${local}.name===${JSON.stringify(local)})Object.defineProperty(${local},"name",{value:"default",configurable:true});\n`
}

const NO_NAMES = { names: [], reexports: [] }

function namesOf(code: string): { names: readonly string[]; reexports: readonly string[] } {
  try {
    const { exports, reexports }: CommonJsNames = parseCommonJs(code)
    return { names: [...exports], reexports: [...reexports] }
  } catch {
    return NO_NAMES
  }
}

/** JavaScript in the user's project is kept as it is, in the format that Node gives it. */
function readJavaScript({ file, packageType }: SourceFile, text: string): CompiledSource {
  const extension = path.extname(file)
  let imports: readonly Import[] = []
  let hasModuleSyntax = false
  try {
    ;[imports, , , hasModuleSyntax] = parse(text)
  } catch {
    // Node reports the error, where it is loaded.
  }
  const isModule =
    extension === '.mjs' ||
    (extension === '.js' && (packageType === 'module' || (packageType === undefined && hasModuleSyntax)))
  const format = isModule ? 'module' : 'commonjs'
  return {
    format,
    isCompiled: false,
    code: text,
    located: { code: text },
    requests: requestsOf(text, format, imports, 0),
    ...(isModule ? NO_NAMES : namesOf(text)),
    mayAwait: isModule && /\bawait\b/.test(text),
  }
}

function requestsOf(
  code: string,
  format: 'module' | 'commonjs',
  imports: readonly Import[],
  shift: number,
): Request[] {
  const requests: Request[] = []
  for (const found of imports) {
    if (found.type === 'import-meta') continue
    const isStatic = found.type !== 'dynamic'
    const json = isStatic && (found.attributes?.some(([, value]) => value === 'json') ?? false)
    const specifier = found.type === 'dynamic' && found.glob ? undefined : found.specifier
    // A declaration in a file that becomes CommonJS is a `require`.
    const kind = isStatic && format === 'commonjs' ? 'require' : 'import'
    requests.push({ specifier, kind, isStatic, json, start: found.start + shift, end: found.end + shift })
  }
  for (const [, , specifier] of code.matchAll(LITERAL_REQUIRE)) {
    if (!requests.some((known) => known.kind === 'require' && known.specifier === specifier))
      requests.push({
        specifier: specifier!,
        kind: 'require',
        isStatic: false,
        json: false,
        start: -1,
        end: -1,
      })
  }
  return requests
}
