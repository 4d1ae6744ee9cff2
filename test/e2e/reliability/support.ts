// What the reliability tests share: waiting for an event instead of for a time, and counting how often items ran.
// Knows nothing of what poolrun prints, but for the summary's numbers.
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { lastLine, normalise } from '../../helpers/normalise.js'
import { type CliResult, fixture, type Started, startCli } from '../../helpers/run-cli.js'
import type { TempSpace } from '../../helpers/temp-space.js'

/** The first answer that is not `undefined`; the limit is for tests that would otherwise wait for ever. */
export async function eventually<T>(what: string, probe: () => T | undefined, withinMs = 20_000): Promise<T> {
  const limit = performance.now() + withinMs
  for (;;) {
    const answer = probe()
    if (answer !== undefined) return answer
    if (performance.now() > limit) throw new Error(`waited ${withinMs} ms for ${what}`)
    await pause(5)
  }
}

export interface Watched extends Started {
  /** Resolves when stderr has had a match. */
  said(pattern: RegExp): Promise<void>
}

/** A run whose stderr is read along, with its items on the command line or written to its stdin by the test. */
export function watchCli(args: readonly string[], options?: Parameters<typeof startCli>[1]): Watched {
  const run = startCli(args, options)
  let text = ''
  run.child.stdin.on('error', () => {})
  run.child.stderr.on('data', (data: Buffer | string) => {
    text += data
  })
  const said = (pattern: RegExp) =>
    eventually(`${pattern} on stderr`, () => (pattern.test(text) ? true : undefined)).then(() => {})
  return { ...run, said }
}

export interface Log {
  /** `--init-args` for a job that notes the items it begins. */
  readonly args: readonly string[]
  /** Items as they began. */
  begun(): number[]
}

export function itemLog(space: TempSpace, name: string, ...more: unknown[]): Log {
  return {
    args: ['--init-args', JSON.stringify([space.path(name), ...more])],
    begun: () => space.read(name).split('\n').filter(Boolean).map(Number),
  }
}

/** Of a summary: how many items were ok, failed, and not run. */
export function counts({ stderr }: Pick<CliResult, 'stderr'>): {
  ok: number
  failed: number
  notRun: number
} {
  // Behind the last colon, as the reason may hold such words too: `item 2 failed, stopped (fail-fast): 2 ok, …`.
  const number = (what: string) =>
    Number(new RegExp(`(?:: |, )(\\d+) ${what}(?=[ ,]|$)(?! item)`).exec(lastLine(stderr))?.[1] ?? 0)
  return { ok: number('ok'), failed: number('failed'), notRun: number('not run') }
}

/** Every item began once at most. */
export function expectNoneTwice(begun: readonly number[]): void {
  expect(begun.filter((item, at) => begun.indexOf(item) !== at)).toEqual([])
}

/** As `normalise`, with no regard to how long anything took: across two processes' clocks that is not the subject here. */
export const told = (stderr: string) =>
  normalise(stderr)
    .replaceAll(/after [\d.]+ (?:ms|s)\b/g, 'after <time>')
    .replaceAll(/\([\d.]+ (?:ms|s), /g, '(<time>, ')

export const ascending = (items: readonly number[]) => [...items].sort((a, b) => a - b)

/** `R`, `S`, `T` … of /proc, nothing when it is gone. */
export function stateOf(pid: number | string | undefined): string | undefined {
  try {
    return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  } catch {
    return undefined
  }
}

export { fixture }
