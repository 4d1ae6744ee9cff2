// What the code of a job is, without its comments and white space: a run that goes on must run the same code.
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { PoolBrokenError } from '../errors/classes.js'
import type { JobSource } from '../ipc/protocol.js'
import { sha256 } from './cache.js'
import { EsbuildProcess } from './compiler/esbuild-process.js'
import { foldersAbove } from './compiler/probe.js'
import { type JobGraph, readGraph } from './loader/graph.js'
import { filesOfJob } from './snapshot.js'

const SOURCE_MAP = /^\/\/# sourceMappingURL=.*$/gm
const DIGITS = 16

interface Source {
  readonly code: string
  readonly format: 'script' | 'json'
}

/** The hash of each file that the job consists of, by its path from the folder of the job. Packages are not among them. */
export async function fingerprintJob({ url, graph }: JobSource): Promise<Readonly<Record<string, string>>> {
  const entry = fileURLToPath(url)
  const folder = path.dirname(entry)
  const project = projectOf(entry)
  const sources = graph === undefined ? javaScriptSources(entry) : compiledSources(readGraph(graph.file))
  const esbuild = new EsbuildProcess()
  try {
    const hashes = await Promise.all(
      [...sources].map(async ([file, source]) => {
        const text = (await normalised(source, esbuild)).replaceAll(project, './')
        return [path.relative(folder, file), sha256(text).slice(0, DIGITS)] as const
      }),
    )
    return Object.fromEntries(hashes.sort(([a], [b]) => (a < b ? -1 : 1)))
  } finally {
    await esbuild.stop()
  }
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
async function normalised({ code, format }: Source, esbuild: EsbuildProcess): Promise<string> {
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
