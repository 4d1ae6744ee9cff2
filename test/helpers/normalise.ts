// Replaces what differs from run to run (process ids, durations, temporary paths) so that whole outputs can be compared.
// Everything else stays, including colours and control characters.
import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { root } from './run-cli.js'

const TEMPORARY = [...new Set([tmpdir(), realpathSync(tmpdir())])]

export function normalise(text: string): string {
  let result = text
    .replaceAll(/\bpid \d+/g, 'pid <pid>')
    .replaceAll(/\bafter \d+(?:\.\d+)? (?:ms|s)\b/g, 'after <time>')
    .replaceAll(root, '<root>/')
  for (const dir of TEMPORARY) result = result.replaceAll(`${dir}/`, '<tmp>/')
  return result
}

export function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? ''
}

export function occurrences(text: string, part: string): number {
  return text.split(part).length - 1
}
