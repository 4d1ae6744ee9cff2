// Resolves what a user wrote (a path, a URL) to the absolute path of a job module. Never reads or imports the file.
import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { JobError } from '../errors/classes.js'
import { whyUnreadable } from '../errors/file-reasons.js'
import { closestName } from './did-you-mean.js'
import { TYPESCRIPT } from './file-kinds.js'
import { isFile } from './stats.js'

const SUPPORTED = [...TYPESCRIPT, '.js', '.mjs', '.cjs']

/** TypeScript imports a source file by the extension of its compiled file. */
const SOURCES_OF: Readonly<Record<string, readonly string[]>> = {
  '.js': ['.ts', '.tsx'],
  '.mjs': ['.mts'],
  '.cjs': ['.cts'],
}

/** The absolute path of a job module. Symbolic links stay, so that messages show what the user named. */
export function resolveJob(job: string | URL, cwd: string = process.cwd()): string {
  const named = toPath(job, cwd)
  const display = showPath(named, cwd)
  const file = kindOf(named, display) === undefined ? (sourceBeside(named) ?? named) : named
  const kind = kindOf(file, display)
  if (kind === undefined) {
    throw new JobError(`job module not found: ${display}${suggestion(named, cwd)}; ${whereLooked(named)}`)
  }
  if (kind === 'directory') throw new JobError(`${display} is a directory, not a job module`)
  if (kind === 'other') throw new JobError(`${display} is not a regular file`)
  if (!SUPPORTED.includes(path.extname(file))) {
    throw new JobError(`${display} is not a job module: its name must end in ${SUPPORTED.join(' ')}`)
  }
  return file
}

/** For messages: relative inside `cwd`, else absolute. */
export function showPath(file: string, cwd: string): string {
  const relative = path.relative(cwd, file)
  return relative === '' || relative.split(path.sep)[0] === '..' || path.isAbsolute(relative)
    ? file
    : relative
}

function toPath(job: string | URL, cwd: string): string {
  if (typeof job === 'string' && !job.startsWith('file:')) return path.resolve(cwd, job)
  try {
    return fileURLToPath(job)
  } catch (error) {
    throw new JobError(`${String(job)} is not the address of a local file`, { cause: error })
  }
}

function kindOf(file: string, display: string): 'file' | 'directory' | 'other' | undefined {
  try {
    const stats = statSync(file)
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'directory' : 'other'
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new JobError(`cannot read ${display}: ${whyUnreadable(error)}`, { cause: error })
  }
}

function sourceBeside(file: string): string | undefined {
  return sourcesOf(file).find(isFile)
}

function sourcesOf(file: string): string[] {
  const extension = path.extname(file)
  const stem = file.slice(0, file.length - extension.length)
  return (SOURCES_OF[extension] ?? []).map((source) => stem + source)
}

/** For messages: the folder, and the names in it if there are several. */
function whereLooked(file: string): string {
  const folder = `looked in ${path.dirname(file)}`
  const names = [file, ...sourcesOf(file)].map((candidate) => path.basename(candidate))
  return names.length > 1 ? `${folder} for ${names.join(', ')}` : folder
}

function suggestion(file: string, cwd: string): string {
  const directory = path.dirname(file)
  let beside: string[]
  try {
    beside = readdirSync(directory).filter((name) => SUPPORTED.includes(path.extname(name)))
  } catch {
    return ''
  }
  const stem = path.parse(file).name
  const near =
    closestName(path.basename(file), beside) ??
    beside.find((name) => path.parse(name).name === stem) ??
    closestName(stem, new Set(beside.map((name) => path.parse(name).name)))
  if (near === undefined) return ''
  const name = beside.includes(near) ? near : beside.find((candidate) => path.parse(candidate).name === near)!
  return ` (did you mean ${showPath(path.join(directory, name), cwd)}?)`
}
