// What the code of a job is, without its comments and white space: a run that goes on must run the same code.
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { PoolBrokenError } from '../errors/classes.js'
import type { JobSource } from '../ipc/protocol.js'
import { sha256 } from './cache.js'
import { EsbuildProcess } from './compiler/esbuild-process.js'
import { type JobGraph, readGraph } from './loader/graph.js'
import { filesOfJob } from './snapshot.js'

const SOURCE_MAP = /^\/\/# sourceMappingURL=.*$/gm
/** Comments that esbuild keeps, when it compiles. */
const MAY_HAVE_COMMENTS = /\/\*!|\/\/!|@license|@preserve/
const DIGITS = 16

interface Source {
  readonly code: string
  readonly format: 'script' | 'json'
  /** Compiled: it has neither comments nor white space of its author. */
  readonly isCompiled: boolean
}

/** The hash of each file that the job consists of, by its path from the folder of the job. Packages are not among them. */
export async function fingerprintJob({ url, graph }: JobSource): Promise<Readonly<Record<string, string>>> {
  const entry = fileURLToPath(url)
  const folder = path.dirname(entry)
  const sources = graph === undefined ? javaScriptSources(entry) : compiledSources(readGraph(graph.file))
  const esbuild = new EsbuildProcess()
  try {
    const hashes = await Promise.all(
      [...sources].map(async ([file, source]) => {
        const text = (await normalised(source, esbuild)).replaceAll(folder, '.')
        return [path.relative(folder, file), sha256(text).slice(0, DIGITS)] as const
      }),
    )
    return Object.fromEntries(hashes.sort(([a], [b]) => (a < b ? -1 : 1)))
  } finally {
    await esbuild.stop()
  }
}

function compiledSources({ files }: JobGraph): Map<string, Source> {
  return new Map(
    Object.entries(files).map(([file, { code, format, isCompiled }]) => [
      file,
      { code: code.replace(SOURCE_MAP, ''), format: format === 'json' ? 'json' : 'script', isCompiled },
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
        isCompiled: false,
      },
    ]),
  )
}

async function normalised({ code, format, isCompiled }: Source, esbuild: EsbuildProcess): Promise<string> {
  if (format === 'json') return withoutSpace(code)
  if (isCompiled && !MAY_HAVE_COMMENTS.test(code)) return code.trim()
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
