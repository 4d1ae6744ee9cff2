// Keeps what a run has compiled: its workers load it whenever they start, and the cache may be deleted before.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import type { JobSource } from '../ipc/protocol.js'
import { replace } from './cache.js'

const texts = new Map<string, string>()

export function pin(file: string): void {
  if (!texts.has(file)) texts.set(file, readFileSync(file, 'utf8'))
}

/** Call it before a worker loads the job. */
export function restore({ graph }: JobSource): void {
  const text = graph && texts.get(graph.file)
  if (graph === undefined || text === undefined || existsSync(graph.file)) return
  try {
    mkdirSync(path.dirname(graph.file), { recursive: true, mode: 0o700 })
    replace(graph.file, text)
  } catch {
    // The worker reports that the file is not there.
  }
}
