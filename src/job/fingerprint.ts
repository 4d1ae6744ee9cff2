// What the code of a job is, without its comments and white space: a run that goes on must run the same code.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TransformFailure } from 'esbuild'
import { PoolBrokenError } from '../errors/classes.js'
import type { JobSource } from '../ipc/protocol.js'
import { replace, sha256 } from './cache.js'
import { type Env, sharedFolder } from './cache-folder.js'
import { CompilerEnded, type EsbuildProcess, withEsbuild } from './compiler/esbuild-process.js'
import { foldersAbove } from './compiler/probe.js'
import { type JobGraph, readGraph } from './loader/graph.js'
import { filesOfJob } from './snapshot.js'

const SOURCE_MAP = /^\/\/# sourceMappingURL=.*$/gm
const DIGITS = 16
/** Length of the hash before a cached fingerprint. */
const CHECKSUM_DIGITS = 64
/** Part of the name of each cached fingerprint. Increase it when the same code gets another fingerprint. */
const VERSION = 1

/** The hash of each file of a job, by its path from the folder of the job. */
type Fingerprint = Readonly<Record<string, string>>

interface Source {
  readonly code: string
  readonly format: 'script' | 'json'
}

/** Of all files of the job; packages are not among them. Cached, because computing it takes a process of esbuild. */
export async function fingerprintJob(
  { url, graph }: JobSource,
  env: Env = process.env,
): Promise<Fingerprint> {
  const entry = fileURLToPath(url)
  const folder = path.dirname(entry)
  const project = projectOf(entry)
  const sources = graph === undefined ? javaScriptSources(entry) : compiledSources(readGraph(graph.file))
  const key = sha256(JSON.stringify([VERSION, import.meta.filename, folder, project, [...sources]]))
  const cacheFolder = sharedFolder(env)
  const file = cacheFolder && path.join(cacheFolder, `${key}.fingerprint`)
  const cached = file && readCached(file)
  if (cached) return cached
  const fingerprint = await withEsbuild((esbuild) => hashesOf(sources, { folder, project, esbuild }))
  if (file) writeCached(file, fingerprint)
  return fingerprint
}

async function hashesOf(
  sources: ReadonlyMap<string, Source>,
  { folder, project, esbuild }: { folder: string; project: string; esbuild: EsbuildProcess },
): Promise<Fingerprint> {
  const hashes = await Promise.all(
    [...sources].map(async ([file, source]) => {
      const text = (await normalised(file, source, esbuild)).replaceAll(project, './')
      return [path.relative(folder, file), sha256(text).slice(0, DIGITS)] as const
    }),
  )
  return Object.fromEntries(hashes.sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** `undefined` if it is missing or damaged: with a wrong one, a run would not resume, or would write it into a new journal. */
function readCached(file: string): Fingerprint | undefined {
  try {
    const text = readFileSync(file, 'utf8')
    const json = text.slice(CHECKSUM_DIGITS + 1)
    return text === withChecksum(json) ? (JSON.parse(json) as Fingerprint) : undefined
  } catch {
    return undefined
  }
}

function writeCached(file: string, fingerprint: Fingerprint): void {
  try {
    replace(file, withChecksum(JSON.stringify(fingerprint)))
  } catch {
    // The next run computes it again.
  }
}

function withChecksum(json: string): string {
  return `${sha256(json)} ${json}`
}

/** The folder of its package.json, with a separator: it may be in another place on another machine. */
function projectOf(entry: string): string {
  const folders = [...foldersAbove(entry)]
  const root = folders.find((folder) => existsSync(path.join(folder, 'package.json'))) ?? folders[0]!
  return root.endsWith(path.sep) ? root : `${root}${path.sep}`
}

function compiledSources({ files }: JobGraph): Map<string, Source> {
  return new Map(
    Object.entries(files).map(([file, { code, format }]) => [
      file,
      { code: code.replace(SOURCE_MAP, ''), format: format === 'json' ? 'json' : 'script' },
    ]),
  )
}

function javaScriptSources(entry: string): Map<string, Source> {
  return new Map(
    filesOfJob(entry).map((file) => [
      file,
      {
        code: readFileSync(file, 'utf8'),
        format: file.endsWith('.json') ? 'json' : 'script',
      },
    ]),
  )
}

/** Compiled code may have comments of its author, too: licences, for example. */
async function normalised(file: string, { code, format }: Source, esbuild: EsbuildProcess): Promise<string> {
  if (format === 'json') return withoutSpace(code)
  try {
    const options = {
      loader: 'js',
      minifyWhitespace: true,
      legalComments: 'none',
      logLevel: 'silent',
    } as const
    const minified = await esbuild.get().transform(code, options)
    return minified.code
  } catch (error) {
    if (error instanceof PoolBrokenError) throw error
    if ((error as Partial<TransformFailure>).errors === undefined)
      throw new CompilerEnded(file, error as Error)
    // Node reports what is wrong with it.
    return code
  }
}

function withoutSpace(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json))
  } catch {
    return json
  }
}
