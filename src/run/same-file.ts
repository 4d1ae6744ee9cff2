// Refuses a run in which one file has two roles and at least one of them writes it: one writer would overwrite what the
// other wrote, or what is still to be read. Files are compared by device and inode, those that do not exist yet by their
// folder and name, so the spelling does not matter.
import { type BigIntStats, fstatSync, statSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { UsageError } from '../errors/classes.js'
import { lockPath } from '../journal/lock-path.js'
import type { RunPlan } from '../plan.js'
import { partialPath, standardStream, targetOf } from '../write/target.js'

interface RunFile {
  /** As it is called in the message. */
  readonly name: string
  /** A path, or a descriptor that this process was started with. */
  readonly file: string | number
  readonly access: 'read' | 'write'
}

/** @throws UsageError */
export function refuseSameFiles(
  plan: RunPlan,
  cwd: string,
  platform: NodeJS.Platform = process.platform,
): void {
  const seen = new Map<string, RunFile[]>()
  for (const file of filesOf(plan)) {
    const id = identify(file.file, cwd, platform)
    if (id === undefined) continue
    const others = seen.get(id) ?? []
    for (const other of others)
      if (!mayShare(other, file))
        throw new UsageError(`${other.name} and ${file.name} name the same file${spelled(file, other)}`)
    seen.set(id, [...others, file])
  }
}

/** Every file of a run. A new option that names one is a line here. */
function filesOf(plan: RunPlan): RunFile[] {
  const { input, job, callbacks, envFiles, output, keepPartial, errors, journal, merges, reports } = plan
  const reads = (name: string, file: RunFile['file'] | undefined) => ({ name, file, access: 'read' as const })
  const writes = (name: string, file: RunFile['file'] | undefined) => ({
    name,
    file,
    access: 'write' as const,
  })
  return [
    reads('--input', input.kind === 'file' ? input.path : undefined),
    reads('stdin', input.kind === 'stdin' ? 0 : undefined),
    reads('the job', job.path),
    reads('--callbacks', callbacks),
    ...(merges ?? []).map((path) => reads('a journal', path)),
    ...envFiles.map((path) => reads('--env-file', path)),
    writes('stdout', output === undefined ? 1 : undefined),
    writes('stderr', 2),
    writes('--output', output),
    writes('--keep-partial', keepPartial && output !== undefined ? partialPath(output) : undefined),
    writes('--errors', errors),
    writes('--journal', journal?.path),
    writes('the lock of --journal', journal && lockPath(journal.path)),
    ...reports.map(({ kind, path }) => writes(`--report ${kind}`, path)),
  ].filter((file): file is RunFile => file.file !== undefined)
}

function mayShare(a: RunFile, b: RunFile): boolean {
  if (a.access === 'read' && b.access === 'read') return true
  // The shell opened both: `> log 2>&1`.
  if (a.name === 'stdout' && b.name === 'stderr') return true
  // The output replaces the input at the end, when all of it has been read. A pipe cannot be replaced.
  if (isInput(a) && b.name === '--output') return isRegular(a.file)
  // Written through one descriptor, at one position: `--errors /dev/stderr 2> log`.
  const descriptor = descriptorOf(a.file)
  return descriptor !== undefined && descriptor === descriptorOf(b.file)
}

function isInput({ name }: RunFile): boolean {
  return name === '--input' || name === 'stdin'
}

function isRegular(file: RunFile['file']): boolean {
  try {
    return (typeof file === 'number' ? fstatSync(file) : statSync(file)).isFile()
  } catch {
    return true
  }
}

function descriptorOf(file: RunFile['file']): number | undefined {
  return typeof file === 'number' ? file : standardStream(file)
}

/** What two names of one file have in common; `undefined` for what may be written twice. */
function identify(file: string | number, cwd: string, platform: NodeJS.Platform): string | undefined {
  try {
    const bigint = true as const
    const stat =
      typeof file === 'number' ? fstatSync(file, { bigint }) : statSync(resolve(cwd, file), { bigint })
    return holdsBytes(stat, file) ? `${stat.dev}:${stat.ino}` : undefined
  } catch {
    return typeof file === 'number' ? undefined : identifyNew(targetOf(resolve(cwd, file)), platform)
  }
}

/** A file that does not exist yet. */
function identifyNew(path: string, platform: NodeJS.Platform): string {
  try {
    const { dev, ino } = statSync(dirname(path), { bigint: true })
    return `${dev}:${ino}/${comparable(basename(path), platform)}`
  } catch {
    // Without such a folder, no file is created.
    return path
  }
}

/** Where file systems mostly ignore case. */
function comparable(name: string, platform: NodeJS.Platform): string {
  return platform === 'win32' || platform === 'darwin' ? name.normalize('NFC').toLowerCase() : name
}

/** Devices take any number of writers, and so do the pipes and sockets that this process was started with. */
function holdsBytes(stat: BigIntStats, file: string | number): boolean {
  if (stat.isFIFO()) return typeof file === 'string' && !/^\/(dev|proc)\//.test(file)
  return stat.isFile() || stat.isBlockDevice()
}

/** Nothing where the shell has opened both, so that no path is known. */
function spelled(...files: readonly RunFile[]): string {
  const path = files.map(({ file }) => file).find((file) => typeof file === 'string')
  return path === undefined ? '' : `: '${path}'`
}
