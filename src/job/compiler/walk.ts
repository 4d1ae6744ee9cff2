// Follows a job from file to file and compiles each of them: all that it imports by a fixed name. What it chooses at
// run time is compiled where it runs.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import type { Message, TransformFailure } from 'esbuild'
import { PoolBrokenError } from '../../errors/classes.js'
import { type Inputs, sha256 } from '../cache.js'
import { compileError } from '../compile-error.js'
import { unwrapped, wrap } from '../expression.js'
import { isInPackage } from '../file-kinds.js'
import type { JobGraph } from '../loader/graph.js'
import { ownPackageFile } from '../own-package.js'
import { tsconfigChain } from '../tsconfig-chain.js'
import { unreadable } from '../unreadable.js'
import { type CompiledSource, compileSource, SourceError } from './compile-source.js'
import { wantsMetadata } from './decorator-metadata.js'
import { CompilerEnded, type EsbuildProcess, withEsbuild } from './esbuild-process.js'
import { graphFiles } from './graph-files.js'
import { loadSteps } from './load-steps.js'
import type { Node } from './nodes.js'
import { PackageTypes } from './package-type.js'
import { Packages } from './packages.js'
import { Probe } from './probe.js'
import { Resolver } from './resolver.js'
import type { SourceFile } from './source-file.js'
import { Targets } from './targets.js'
import { Tsconfigs } from './tsconfig.js'
import { errorsIn } from './unresolved.js'
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

/** @throws JobError with the location of everything that is wrong in what loads with the job */
export function walk(entry: WalkEntry, options: WalkOptions): Promise<Walked> {
  return withEsbuild((esbuild) => new Walk(entry, options, esbuild).run())
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
  readonly #targets = new Targets(this.#probe, this.#resolver, this.#packages)
  readonly #outcomes = new Map<string, Node | readonly Message[]>()
  readonly #visited = new Set<string>()
  /** Grows while it is waited for. */
  readonly #reading: Promise<void>[] = []
  /** sha256 of each file that was read. */
  readonly #contents = new Map<string, string>()

  constructor(entry: WalkEntry, options: WalkOptions, esbuild: EsbuildProcess) {
    this.#entry = entry
    this.#options = options
    this.#esbuild = esbuild
  }

  async run(): Promise<Walked> {
    const { file } = this.#entry
    this.#visit(file)
    for (const reading of this.#reading) await reading
    const { cwd, nodeDecides } = this.#options
    const errors = errorsIn(this.#outcomes, this.#entry, { probe: this.#probe, nodeDecides })
    if (errors.length > 0) throw compileError(errors, path.dirname(file), cwd)
    const nodes = new Map([...this.#outcomes].filter((one): one is [string, Node] => 'compiled' in one[1]))
    const [targets, types] = [this.#targets, this.#types]
    const awaits = (code: string) => this.#awaits(code)
    const steps = nodeDecides ? undefined : await loadSteps(file, nodes, { types, awaits })
    const files = graphFiles(nodes, { targets, types, nodeDecides })
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
        cwd,
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
        if (typescript !== undefined) this.#targets.externals.add(this.#probe.real(typescript))
      }
    } catch (error) {
      this.#outcomes.set(file, [plainMessage(this.#problemOf(error as NodeJS.ErrnoException))])
      return
    }
    try {
      const compiled = file.endsWith('.json') ? readJson(source) : await this.#compile(source)
      const targets = new Map(compiled.requests.map((request) => [request, this.#targets.of(request, file)]))
      this.#outcomes.set(file, { source, compiled, targets })
      for (const target of targets.values()) if (target.kind === 'file') this.#visit(target.file)
    } catch (error) {
      if (!(error instanceof SourceError)) throw error
      const messages = error.messages.map((message) => located(message, file))
      this.#outcomes.set(file, isExpression ? messages.map((some) => unwrapped(some, expression)) : messages)
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

  /** Code that awaits at top level cannot be made CommonJS. */
  async #awaits(code: string): Promise<boolean> {
    return Array.isArray(await this.#transform(code, { format: 'cjs', loader: 'js', logLevel: 'silent' }))
  }

  /** What the result depends on. */
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
    for (const file of [...files, ...this.#targets.externals]) {
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
    return {
      contents,
      present: [...this.#targets.externals],
      absent,
      links: Object.fromEntries(this.#probe.links),
    }
  }
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
