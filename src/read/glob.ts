// Finds the files that match glob patterns, each once, however folders link to each other. Import it lazily.
// The patterns are followed through the tree step by step: a folder is read only for the steps that may go on in it, and
// never twice for the same ones, whichever path leads to it. So links in a circle end, and the time is linear in the tree.
import { type Dirent, lstatSync, readdirSync, type Stats, statSync } from 'node:fs'
import { posix } from 'node:path'
import picomatch from 'picomatch'
import { InputError } from '../errors/classes.js'
import { whyUnreadable } from '../errors/file-reasons.js'
import { expandBraces } from './braces.js'

/** What one name on the path must be. `next` is `undefined` for the last. */
interface Step {
  /** Which of the patterns as given. */
  readonly pattern: number
  /** Of any number of folders, none included. */
  readonly anyDepth: boolean
  /** The only name that matches. */
  readonly name: string | undefined
  readonly matches: (name: string) => boolean
  readonly next: Step | undefined
}

/** What Node puts in a name for bytes that are not UTF-8. The path then leads nowhere. */
const REPLACEMENT = '\ufffd'
/** The same in the paths that are found: no name that can be decoded has it. */
const UNDECODABLE = '\udcff'

/** A path that cannot be decoded becomes one that is not UTF-8 either, so that its item fails as it would from stdin. */
export function pathAsJson(path: string): Buffer {
  if (!path.includes(UNDECODABLE)) return Buffer.from(JSON.stringify(path))
  const parts = path.split(UNDECODABLE).map((part) => Buffer.from(JSON.stringify(part).slice(1, -1)))
  const quote = Buffer.from('"')
  return Buffer.concat([
    quote,
    ...parts.flatMap((part, i) => (i === 0 ? [part] : [Buffer.of(0xff), part])),
    quote,
  ])
}

interface Folder {
  /** As the pattern has it; empty for the working directory. */
  readonly path: string
  readonly steps: ReadonlySet<Step>
}

/** So many folders are read before everything else gets its turn. */
const FOLDERS_PER_TURN = 64

/**
 * Sorted by code units, not by locale, so that the order is the same on every machine. Of several paths to a file the one
 * through the fewest links counts.
 * @throws InputError for a pattern without a match, and for a folder that cannot be read
 */
export async function findFiles(patterns: readonly string[], cwd: string): Promise<string[]> {
  const found = await new Search(patterns, cwd).run()
  const missing = patterns.filter((pattern, i) => !isNegated(pattern) && !found.matched.has(i))
  if (found.paths.length > 0 && missing.length === 0) return found.paths.sort()
  const quoted = (missing.length > 0 ? missing : patterns).map((pattern) => `'${pattern}'`).join(', ')
  throw new InputError(`no file matches ${quoted} in ${cwd}`)
}

class Search {
  readonly #cwd: string
  readonly #starts = new Map<string, Set<Step>>()
  readonly #ignored: Step[] = []
  /** The steps that each folder was read for, by its identity. */
  readonly #read = new Map<string, Set<Step>>()
  /** Paths by the identity of the folder and the name in it. */
  readonly #files = new Map<string, string>()
  /** Several may be the same, once what cannot be decoded was replaced. */
  readonly #undecodable: string[] = []
  readonly #matched = new Set<number>()
  /** Folders to read: those on paths with few links first. */
  #folders: Folder[] = []
  /** Those behind one link more. */
  #linked: Folder[] = []

  constructor(patterns: readonly string[], cwd: string) {
    this.#cwd = cwd
    for (const [i, pattern] of patterns.entries()) {
      const negated = isNegated(pattern)
      for (const text of expanded(negated ? pattern.slice(1) : pattern)) {
        const { start, first } = compile(text, i)
        if (first === undefined) continue
        if (negated) this.#ignored.push(first)
        else this.#starts.set(start, (this.#starts.get(start) ?? new Set()).add(first))
      }
    }
  }

  async run(): Promise<{ readonly paths: string[]; readonly matched: ReadonlySet<number> }> {
    let count = 0
    this.#linked = Array.from(this.#starts, ([path, steps]) => ({ path, steps }))
    while (this.#linked.length > 0) {
      this.#folders = this.#linked
      this.#linked = []
      // It grows meanwhile.
      for (const folder of this.#folders) {
        if (++count % FOLDERS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve))
        this.#readFolder(folder)
      }
    }
    return { paths: [...this.#files.values(), ...this.#undecodable], matched: this.#matched }
  }

  #readFolder({ path, steps }: Folder): void {
    const stats = this.#stat(path)
    if (stats === undefined || !stats.isDirectory()) return
    const identity = identityOf(stats)
    const before = this.#read.get(identity) ?? new Set()
    const fresh = [...withSkipped(steps)].filter((step) => !before.has(step))
    if (fresh.length === 0) return
    this.#read.set(identity, new Set([...before, ...fresh]))
    for (const [name, matching] of this.#namesIn(path, fresh)) this.#visit(path, identity, name, matching)
  }

  /** The names in a folder that match, each with the steps that it matches. Names without a wildcard need no listing. */
  *#namesIn(path: string, steps: readonly Step[]): Generator<readonly [Dirent | string, readonly Step[]]> {
    const byName = groupByName(steps)
    const wild = byName.get(undefined)
    if (wild === undefined) {
      for (const [name, matching] of byName) yield [name!, matching]
      return
    }
    for (const entry of this.#list(path)) {
      const matching = wild.filter((step) => step.matches(entry.name)).concat(byName.get(entry.name) ?? [])
      if (matching.length > 0) yield [entry, matching]
    }
    for (const name of ['.', '..']) {
      const matching = byName.get(name)
      if (matching !== undefined) yield [name, matching]
    }
  }

  #visit(folder: string, identity: string, entry: Dirent | string, steps: readonly Step[]): void {
    const name = typeof entry === 'string' ? entry : entry.name
    const path = folder === '' || folder === '/' ? folder + name : `${folder}/${name}`
    if (this.#ignored.length > 0 && this.#isIgnored(path)) return
    const own = typeof entry === 'string' ? this.#attempt(path, (absolute) => lstatSync(absolute)) : entry
    const isLink = own?.isSymbolicLink() ?? false
    const kind = isLink ? this.#stat(path) : own
    if (name.includes(REPLACEMENT) && this.#attempt(path, (absolute) => lstatSync(absolute)) === undefined) {
      const counting = own?.isDirectory() && insideOf(steps).size > 0 ? steps : steps.filter(isLast)
      if (own === undefined || counting.length === 0) return
      for (const { pattern } of counting) this.#matched.add(pattern)
      this.#undecodable.push(this.#shown(path).replaceAll(REPLACEMENT, UNDECODABLE))
    } else if (kind?.isDirectory()) {
      const deeper = insideOf(steps)
      if (deeper.size > 0) (isLink ? this.#linked : this.#folders).push({ path, steps: deeper })
    } else if (kind?.isFile()) {
      const last = steps.filter(isLast)
      if (last.length === 0) return
      for (const { pattern } of last) this.#matched.add(pattern)
      const key = `${identity}/${name}`
      if (!this.#files.has(key)) this.#files.set(key, this.#shown(path))
    }
  }

  /** Relative to the working directory. */
  #shown(path: string): string {
    return /^(?:\/|\.)/.test(path) ? posix.relative(this.#cwd, posix.resolve(this.#cwd, path)) : path
  }

  #isIgnored(path: string): boolean {
    let steps = withSkipped(this.#ignored)
    const names = this.#shown(path).split('/')
    for (const [i, name] of names.entries()) {
      const matching = [...steps].filter((step) => step.matches(name))
      if (i === names.length - 1) return matching.some(({ next }) => next === undefined)
      steps = withSkipped(matching.flatMap((step) => (step.anyDepth ? step : (step.next ?? []))))
    }
    return false
  }

  #list(path: string): Dirent[] {
    const entries = this.#attempt(path, (absolute) => readdirSync(absolute, { withFileTypes: true })) ?? []
    // Otherwise the file system would choose between paths through links.
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #stat(path: string): Stats | undefined {
    return this.#attempt(path, (absolute) => statSync(absolute))
  }

  /** `undefined` for what is not there (any more), also behind a link. */
  #attempt<T>(path: string, read: (absolute: string) => T): T | undefined {
    try {
      return read(posix.resolve(this.#cwd, path))
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP') return undefined
      throw new InputError(`cannot read ${path === '' ? '.' : path}: ${whyUnreadable(error)}`, {
        cause: error,
      })
    }
  }
}

/** `!(a|b)` is no negation but a pattern of its own. */
function isNegated(pattern: string): boolean {
  return pattern.startsWith('!') && !pattern.startsWith('!(')
}

function expanded(pattern: string): string[] {
  try {
    return expandBraces(pattern)
  } catch (error) {
    throw new InputError((error as Error).message, { cause: error })
  }
}

/** The steps of one pattern without braces, and the folder where they begin. */
function compile(
  text: string,
  pattern: number,
): { readonly start: string; readonly first: Step | undefined } {
  const parts = posix.normalize(text).split('/')
  if (parts.at(-1) === '') parts.pop()
  const start = parts[0] === '' ? '/' : ''
  const names = parts.filter((part) => part !== '' && part !== '.')
  let next: Step | undefined
  for (const part of names.reverse()) next = stepOf(part, pattern, next)
  return { start, first: next }
}

/** Unescaped, these mean something in a name. A leftover brace does not. */
const WILD = /(?<!\\)(?:\\\\)*[*?[\]()]/

function stepOf(part: string, pattern: number, next: Step | undefined): Step {
  if (part === '**')
    return { pattern, anyDepth: true, name: undefined, matches: (name) => !name.startsWith('.'), next }
  if (!WILD.test(part)) {
    const name = part.replace(/\\(.)/gs, '$1')
    return { pattern, anyDepth: false, name, matches: (text) => text === name, next }
  }
  const escaped = part.replace(/\\.|[{}]/gs, (found) => (found.length > 1 ? found : `\\${found}`))
  // `s`: a name may have a line break in it.
  return {
    pattern,
    anyDepth: false,
    name: undefined,
    matches: picomatch(escaped, { posix: true, flags: 's' }),
    next,
  }
}

/** The steps that go on in a folder that matches these. */
function insideOf(steps: readonly Step[]): Set<Step> {
  return new Set(steps.flatMap((step) => (step.anyDepth ? step : (step.next ?? []))))
}

function isLast({ next }: Step): boolean {
  return next === undefined
}

/** With the steps behind those that any number of folders match, for it may be none. */
function withSkipped(steps: Iterable<Step>): Set<Step> {
  const all = new Set(steps)
  // A Set is iterated in the order of insertion, and with what is added meanwhile.
  for (const { anyDepth, next } of all) if (anyDepth && next !== undefined) all.add(next)
  return all
}

function groupByName(steps: readonly Step[]): Map<string | undefined, Step[]> {
  const groups = new Map<string | undefined, Step[]>()
  for (const step of steps) {
    const group = groups.get(step.name)
    if (group === undefined) groups.set(step.name, [step])
    else group.push(step)
  }
  return groups
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev}:${ino}`
}
