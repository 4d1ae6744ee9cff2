// Follows a job from file to file and compiles each of them: all that it imports by a fixed name. What it chooses at
// run time is compiled where it runs.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire, isBuiltin } from 'node:module'
import path from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { Message, TransformFailure } from 'esbuild'
import { PoolBrokenError } from '../../errors/classes.js'
import { type Inputs, sha256 } from '../cache.js'
import { compileError } from '../compile-error.js'
import { unwrapped, wrap } from '../expression.js'
import { isCompiledFile, isInPackage } from '../file-kinds.js'
import { jsonFacade } from '../loader/facades.js'
import type { GraphFile, JobGraph, LoadStep } from '../loader/graph.js'
import { ownPackageFile } from '../own-package.js'
import { tsconfigChain } from '../package-files.js'
import { unreadable } from '../unreadable.js'
import { allNames } from './commonjs-names.js'
import { type CompiledSource, compileSource, type Request, SourceError } from './compile-source.js'
import { wantsMetadata } from './decorator-metadata.js'
import { CompilerEnded, EsbuildProcess } from './esbuild-process.js'
import { withMap } from './inline-map.js'
import { messageAt } from './locate.js'
import { PackageTypes } from './package-type.js'
import { Packages, packageName } from './packages.js'
import { foldersAbove, Probe } from './probe.js'
import { Resolver } from './resolver.js'
import type { SourceFile } from './source-file.js'
import { Tsconfigs } from './tsconfig.js'
import { warningsFor } from './warnings.js'

export interface WalkOptions {
  readonly cwd: string
  /** The workers' Node has options that change how it resolves or loads: nothing may be decided for it here. */
  readonly nodeDecides: boolean
}

export interface WalkEntry {
  /** An absolute path without symbolic links. */
  readonly file: string
  /** Compiled in place of the file, which need not exist. */
  readonly expression?: string
}

export interface Walked {
  readonly graph: JobGraph
  readonly inputs: Inputs
  readonly warnings: readonly string[]
}

/** What a request leads to. */
type Target =
  | {
      readonly kind: 'file'
      readonly file: string
      readonly query: string
      /** By a package.json, which Node may read under other conditions. */
      readonly byPackage: boolean
    }
  | External
  | { readonly kind: 'builtin' }
  | { readonly kind: 'missing' }

/** Nothing in it has to be compiled. */
interface External {
  readonly kind: 'external'
  readonly url: string
  /** Node does not find it by the specifier. */
  readonly isNamedByUrl?: boolean
}

const MISSING: Target = { kind: 'missing' }

interface Node {
  readonly source: SourceFile
  readonly compiled: CompiledSource
  readonly targets: ReadonlyMap<Request, Target>
}

/** `import.meta.resolve`, and code that is made at run time and may import: no request shows what they name. */
const NAMES_MORE =
  /(?:\bimport\.|__poolrun_)meta(?!=|\.(?:url|dirname|filename)\b)|\b(?:eval|Function)\)?\s*\(/

const FOLLOWED = new Set(['.js', '.mjs', '.cjs', '.jsx', '.ts', '.tsx', '.mts', '.cts', '.json'])

/** @throws JobError with the location of everything that is wrong in what loads with the job */
export async function walk(entry: WalkEntry, options: WalkOptions): Promise<Walked> {
  try {
    return await walkOnce(entry, options)
  } catch (error) {
    if (!(error instanceof CompilerEnded)) throw error
  }
  // A signal to all processes of the run may have ended it. If so, poolrun's own handler decides before this is done.
  return walkOnce(entry, options)
}

async function walkOnce(entry: WalkEntry, options: WalkOptions): Promise<Walked> {
  const esbuild = new EsbuildProcess()
  try {
    return await new Walk(entry, options, esbuild).run()
  } finally {
    await esbuild.stop()
  }
}

class Walk {
  readonly #entry: WalkEntry
  readonly #options: WalkOptions
  readonly #esbuild: EsbuildProcess
  readonly #probe = new Probe()
  readonly #tsconfigs = new Tsconfigs()
  readonly #types = new PackageTypes(this.#probe)
  readonly #resolver = new Resolver(this.#probe, this.#tsconfigs)
  readonly #packages = new Packages(this.#probe, this.#resolver)
  readonly #nodes = new Map<string, Node | readonly Message[]>()
  readonly #visited = new Set<string>()
  /** Grows while it is waited for. */
  readonly #reading: Promise<void>[] = []
  /** sha256 of each file that was read. */
  readonly #contents = new Map<string, string>()
  readonly #externals = new Set<string>()

  constructor(entry: WalkEntry, options: WalkOptions, esbuild: EsbuildProcess) {
    this.#entry = entry
    this.#options = options
    this.#esbuild = esbuild
  }

  async run(): Promise<Walked> {
    const { file } = this.#entry
    this.#visit(file)
    for (const reading of this.#reading) await reading
    this.#throwErrors()
    const nodes = new Map([...this.#nodes].filter((entry): entry is [string, Node] => 'compiled' in entry[1]))
    const steps = !this.#options.nodeDecides ? await this.#steps(nodes) : undefined
    const files: Record<string, GraphFile> = {}
    for (const [name, node] of [...nodes].sort(([a], [b]) => (a < b ? -1 : 1)))
      files[name] = this.#graphFile(name, node, nodes)
    return {
      graph: { entry: file, files, ...(steps !== undefined && { steps }) },
      inputs: this.#inputs(),
      warnings: warningsFor(
        [...nodes].map(
          ([
            name,
            {
              source,
              compiled: { code },
            },
          ]) => ({ source, code, tsconfig: this.#tsconfigs.for(name) }),
        ),
        this.#options.cwd,
      ),
    }
  }

  /** Once per file. Waiting for a file in turn would wait for ever in a cycle. */
  #visit(file: string): void {
    if (this.#visited.has(file)) return
    this.#visited.add(file)
    const reading = this.#read(file)
    // Awaited later, in turn.
    reading.catch(() => {})
    this.#reading.push(reading)
  }

  async #read(file: string): Promise<void> {
    const { expression } = this.#entry
    const isExpression = file === this.#entry.file && expression !== undefined
    let source: SourceFile
    try {
      let text: string
      if (isExpression) text = wrap(expression, file)
      else {
        const bytes = await readFile(file)
        this.#contents.set(file, sha256(bytes))
        text = bytes.toString()
      }
      const compilerOptions = this.#tsconfigs.for(file)?.options ?? {}
      const packageType = this.#types.for(file).type
      source = { file, text, packageType, compilerOptions, isExpression }
      if (wantsMetadata(source)) {
        const typescript = this.#packages.find('typescript', file, 'require')
        source = { ...source, typescript }
        if (typescript !== undefined) this.#externals.add(this.#probe.real(typescript))
      }
    } catch (error) {
      this.#nodes.set(file, [plainMessage(this.#problemOf(error as NodeJS.ErrnoException))])
      return
    }
    try {
      const compiled = file.endsWith('.json') ? readJson(source) : await this.#compile(source)
      const targets = new Map(compiled.requests.map((request) => [request, this.#target(request, file)]))
      this.#nodes.set(file, { source, compiled, targets })
      for (const target of targets.values()) if (target.kind === 'file') this.#visit(target.file)
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      const messages = error.messages.map((message) => located(message, file))
      this.#nodes.set(file, isExpression ? messages.map((some) => unwrapped(some, expression)) : messages)
    }
  }

  /** Of a file that cannot be read, or of a tsconfig that is wrong. @throws PoolBrokenError where the machine lacks something */
  #problemOf(error: NodeJS.ErrnoException): string {
    if (error.path === undefined) return error.message
    const problem = unreadable(error.path, this.#options.cwd, error)
    if (problem instanceof PoolBrokenError) throw problem
    return problem.message
  }

  async #compile(source: SourceFile): Promise<CompiledSource> {
    const compilation = compileSource(source)
    let step = compilation.next()
    while (!step.done) step = compilation.next(await this.#transform(...step.value))
    return step.value
  }

  async #transform(...[text, options]: Parameters<typeof import('esbuild').transform>) {
    try {
      return await this.#esbuild.get().transform(text, options)
    } catch (error) {
      const { errors } = error as Partial<TransformFailure>
      if (errors === undefined) throw new CompilerEnded(this.#entry.file, error as Error)
      return errors
    }
  }

  // ── what requests lead to ────────────────────────────────────────────────────────────────────────────────────────

  #target({ specifier, kind }: Request, importer: string): Target {
    if (specifier === undefined) return MISSING
    if (isBuiltin(specifier)) return { kind: 'builtin' }
    try {
      const found = this.#resolver.find(specifier, importer, kind)
      if (found !== undefined) return this.#targetOf(found.file, found.query)
      return this.#packageFile(specifier, importer, kind)
    } catch {
      return MISSING
    }
  }

  #targetOf(file: string, query: string, byPackage = false): Target {
    const extension = path.extname(file)
    const isFollowed =
      FOLLOWED.has(extension) && (!isInPackage(file) || isCompiledFile(file) || extension === '.json')
    return isFollowed
      ? { kind: 'file', file, query, byPackage }
      : { kind: 'external', url: pathToFileURL(file).href + query }
  }

  #packageFile(specifier: string, importer: string, kind: Request['kind']): Target {
    if (/^(?:\.|\/|[a-z][a-z0-9+.-]+:)/i.test(specifier)) {
      if (/^(?!file:)[a-z]/i.test(specifier)) return { kind: 'external', url: specifier }
      return MISSING
    }
    const found = this.#packages.find(specifier, importer, kind)
    if (found === undefined) {
      if (specifier !== 'poolrun') return MISSING
      return { kind: 'external', url: pathToFileURL(ownEntry(kind)).href }
    }
    if (!path.isAbsolute(found)) return { kind: 'builtin' }
    const file = this.#probe.real(found)
    const target = this.#targetOf(file, '', true)
    if (target.kind !== 'external') return target
    this.#externals.add(file)
    return { ...target, isNamedByUrl: kind === 'import' && this.#packages.lacksEnding(specifier, importer) }
  }

  // ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** What the job asks for only at run time may be missing or broken: it can catch the error. */
  #throwErrors(): void {
    const errors: Message[] = []
    const seen = new Set<string>()
    const check = (file: string) => {
      if (seen.has(file)) return
      seen.add(file)
      const node = this.#nodes.get(file)
      if (node === undefined) return
      if (!('compiled' in node)) return void errors.push(...node)
      for (const [request, target] of node.targets) {
        if (!request.isStatic) continue
        if (target.kind === 'file') check(target.file)
        else if (target.kind === 'missing' && node.compiled.isCompiled && !this.#options.nodeDecides)
          errors.push(this.#missing(request, file, node))
      }
    }
    check(this.#entry.file)
    if (errors.length > 0) throw compileError(errors, path.dirname(this.#entry.file), this.#options.cwd)
  }

  #missing({ specifier, start }: Request, file: string, { source, compiled }: Node): Message {
    const text = `Could not resolve "${specifier}"${this.#hint(specifier!, file)}`
    // The location is that of the quote.
    const message = messageAt(text, file, source.text, compiled.located, start - 1)
    return this.#entry.expression !== undefined && file === this.#entry.file
      ? unwrapped(message, this.#entry.expression)
      : message
  }

  #hint(specifier: string, file: string): string {
    if (/^[./]|^file:/.test(specifier)) {
      const target = specifier.startsWith('file:') ? specifier : path.resolve(path.dirname(file), specifier)
      return this.#probe.isFolder(target) ? ': it is a folder without an index file' : ''
    }
    if (specifier.startsWith('#')) return ': no "imports" of the nearest package.json has it'
    const name = packageName(specifier)
    for (const folder of foldersAbove(file)) {
      if (this.#probe.isFolder(path.join(folder, 'node_modules', name)))
        return `: the package in ${path.join(folder, 'node_modules', name)} has no such file or export`
    }
    return `: the package is not installed (looked in node_modules of ${path.dirname(file)} and of the folders above it); npm install ${name}`
  }

  // ── the graph ────────────────────────────────────────────────────────────────────────────────────────────────────

  #graphFile(name: string, node: Node, nodes: ReadonlyMap<string, Node>): GraphFile {
    const { compiled, targets } = node
    const imports: Record<string, string> = {}
    const requires: Record<string, string> = {}
    for (const [{ specifier, kind }, target] of targets) {
      if (specifier === undefined) continue
      let url: string
      if (this.#isNodes(target)) url = ''
      else if (target.kind === 'external') url = isNatural(specifier, target) ? '' : target.url
      // A file that does not compile is compiled again where it is asked for: its error is thrown there.
      else if (target.kind === 'file' && nodes.has(target.file)) url = urlOf(target)
      else continue
      if (kind === 'import') imports[specifier] = url
      else requires[specifier] = url === '' ? '' : fileURLToPath(url)
    }
    const code = this.#options.nodeDecides ? compiled.code : rewritten(name, node, nodes)
    const loadsFirst = [...targets].flatMap(([{ isStatic }, target]) =>
      isStatic && target.kind === 'file' && compiled.format === 'module' ? target.file : [],
    )
    const names =
      compiled.format !== 'commonjs'
        ? []
        : allNames(name, compiled, (specifier, importer) => this.#namesOf(specifier, importer, nodes))
    return { ...withMap({ ...compiled, code }), imports, requires, names, loadsFirst }
  }

  #isNodes(target: Target): boolean {
    return this.#options.nodeDecides && target.kind === 'file' && target.byPackage
  }

  #namesOf(specifier: string, importer: string, nodes: ReadonlyMap<string, Node>) {
    const target = this.#target(
      { specifier, kind: 'require', isStatic: true, json: false, start: 0, end: 0 },
      importer,
    )
    if (target.kind === 'file') {
      const node = nodes.get(target.file)
      return node === undefined || node.compiled.format !== 'commonjs'
        ? undefined
        : { file: target.file, ...node.compiled }
    }
    if (target.kind !== 'external' || !target.url.startsWith('file:')) return undefined
    try {
      const file = fileURLToPath(target.url)
      const text = readFileSync(file, 'utf8')
      const step = compileSource({
        file,
        text,
        packageType: this.#types.for(file).type,
        compilerOptions: {},
      }).next()
      return step.done && step.value.format === 'commonjs' ? { file, ...step.value } : undefined
    } catch {
      return undefined
    }
  }

  // ── without hooks ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The order in which Node would evaluate the modules; `undefined` where only hooks can load the job right. */
  async #steps(nodes: ReadonlyMap<string, Node>): Promise<readonly LoadStep[] | undefined> {
    for (const node of nodes.values()) if (!(await this.#isSimple(node))) return undefined
    const steps: LoadStep[] = []
    const done = new Set<string>()
    const open = new Set<string>()
    const add = (file: string): boolean => {
      if (done.has(file)) return true
      // A cycle.
      if (open.has(file)) return false
      open.add(file)
      const { compiled, targets } = nodes.get(file)!
      for (const [request, target] of targets) {
        if (compiled.format !== 'module' || !request.isStatic) continue
        if (target.kind === 'file') {
          if (target.query !== '' || !nodes.has(target.file) || !add(target.file)) return false
        } else if (target.kind === 'external') steps.push({ url: target.url, json: isJson(target.url) })
      }
      open.delete(file)
      done.add(file)
      // It is written into the code.
      if (compiled.format !== 'json') steps.push({ file })
      return true
    }
    return add(this.#entry.file) ? steps : undefined
  }

  /** It names nothing at run time that Node would not find alone, and does not await at top level. */
  async #isSimple({ compiled, targets }: Node): Promise<boolean> {
    for (const [request, target] of targets) {
      if (request.kind === 'require') {
        const isModule =
          target.kind === 'file' &&
          'compiled' in this.#nodes.get(target.file)! &&
          (this.#nodes.get(target.file) as Node).compiled.format === 'module'
        if (isModule) return false
      } else if (!request.isStatic) {
        if (target.kind === 'builtin') continue
        if (target.kind !== 'external' || !isNatural(request.specifier!, target)) return false
        if (compiled.format === 'commonjs' && compiled.isCompiled && this.#mayBeCommonJs(target.url))
          return false
      }
    }
    if (NAMES_MORE.test(compiled.code)) return false
    if (!compiled.mayAwait) return true
    const answer = await this.#transform(compiled.code, { format: 'cjs', loader: 'js', logLevel: 'silent' })
    return !Array.isArray(answer)
  }

  #mayBeCommonJs(url: string): boolean {
    if (!url.startsWith('file:')) return false
    const file = fileURLToPath(url.replace(/[?#].*$/s, ''))
    return path.extname(file) !== '.mjs' && this.#types.for(file).type !== 'module'
  }

  #inputs(): Inputs {
    const contents = Object.fromEntries(this.#contents)
    const watched = new Set([
      ownPackageFile(),
      createRequire(import.meta.filename).resolve('esbuild/package.json'),
    ])
    const files = [...this.#contents.keys(), this.#entry.file]
    for (const file of files) {
      const tsconfig = this.#probe.nearest('tsconfig.json', file)
      if (tsconfig !== undefined && !isInPackage(file))
        for (const some of tsconfigChain(tsconfig)) watched.add(some)
    }
    for (const file of [...files, ...this.#externals]) {
      const nearest = this.#types.for(file).file
      if (nearest !== undefined) watched.add(nearest)
    }
    for (const file of watched) contents[file] = sha256(readFileSync(file))
    // The hash of no file: what is missing may be installed anywhere, and then counts.
    for (const file of files) {
      const { file: tsconfig, missingBase } = this.#tsconfigs.for(file) ?? {}
      if (missingBase !== undefined) contents[tsconfig!] = ''
    }
    const absent = [...this.#probe.absent]
    return { contents, present: [...this.#externals], absent, links: Object.fromEntries(this.#probe.links) }
  }
}

/** Node finds the same outside of the graph. */
function isNatural(specifier: string, { isNamedByUrl }: External): boolean {
  return isNamedByUrl !== true && specifier !== 'poolrun' && !/^[./]/.test(specifier)
}

function urlOf({ file, query }: { readonly file: string; readonly query: string }): string {
  return pathToFileURL(file).href + query
}

function isJson(url: string): boolean {
  return new URL(url).pathname.endsWith('.json')
}

function plainMessage(text: string): Message {
  return { id: '', pluginName: '', text, location: null, notes: [], detail: undefined }
}

function located(message: Message, file: string): Message {
  return message.location === null ? message : { ...message, location: { ...message.location, file } }
}

/** @throws SourceError */
function readJson({ file, text }: SourceFile): CompiledSource {
  const code = text.replace(/^\uFEFF/, '')
  try {
    JSON.parse(code)
  } catch (error) {
    throw new SourceError([plainMessage(`${file}: ${(error as Error).message}`)])
  }
  return {
    format: 'json',
    isCompiled: false,
    code,
    located: { code },
    requests: [],
    names: [],
    reexports: [],
    mayAwait: false,
  }
}

/** The library of the running poolrun, for a job that has no poolrun installed beside it. */
function ownEntry(kind: Request['kind']): string {
  return path.join(path.dirname(ownPackageFile()), 'dist', kind === 'import' ? 'index.js' : 'index.cjs')
}

/** Where no hooks help, Node must find each file by what the code says. From the end, so that places stay right. */
function rewritten(file: string, { compiled, targets }: Node, nodes: ReadonlyMap<string, Node>): string {
  let { code } = compiled
  if (compiled.format !== 'module') return code
  for (const [{ isStatic, json, start, end, specifier }, target] of [...targets].reverse()) {
    if (!isStatic || (target.kind !== 'file' && target.kind !== 'external')) continue
    if (target.kind === 'file' && !nodes.has(target.file)) continue
    const imported = target.kind === 'file' ? nodes.get(target.file)!.compiled : undefined
    if (imported?.format === 'json') {
      // Node says what is missing.
      if (!json && !compiled.isCompiled) continue
      const url = dataUrl('application/json', imported.code)
      const [before, quote, after] = [code.slice(0, start), code.slice(end, end + 1), code.slice(end + 1)]
      if (json) code = `${before}${url}${quote}${after}`
      else if (ONLY_DEFAULT.test(before)) code = `${before}${url}${quote} with{type:"json"}${after}`
      else {
        // The hash is for errors: they name the module.
        const facade = dataUrl('text/javascript', jsonFacade(url, imported.code))
        code = `${before}${facade}#${encodeURI(specifier!)}${quote}${after}`
      }
      continue
    }
    const url = target.kind === 'file' ? urlOf(target) : target.url
    if ((target.kind === 'external' && isNatural(specifier!, target)) || naturalUrl(specifier!, file) === url)
      continue
    code = code.slice(0, start) + JSON.stringify(url).slice(1, -1) + code.slice(end)
  }
  return code
}

/** What is before the specifier of `import name from '…'`, as esbuild writes it. */
const ONLY_DEFAULT = /\bimport [\w$]+ from "$/

function dataUrl(type: string, text: string): string {
  return `data:${type};base64,${Buffer.from(text).toString('base64')}`
}

function naturalUrl(specifier: string, file: string): string | undefined {
  try {
    return new URL(specifier, pathToFileURL(file)).href
  } catch {
    return undefined
  }
}
