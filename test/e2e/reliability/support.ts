// What the reliability tests share: how often items began, what the summary line counts, stderr without its times.
import { expect } from 'vitest'
import { lastLine, normalise } from '../../helpers/normalise.js'
import type { CliResult } from '../../helpers/run-cli.js'
import type { TempSpace } from '../../helpers/temp-space.js'

export interface Log {
  /** `--init-args` for a job that logs each item it begins. */
  readonly args: readonly string[]
  /** Items in the order in which they began. */
  begun(): number[]
}

export function itemLog(space: TempSpace, name: string, ...more: unknown[]): Log {
  return {
    args: ['--init-args', JSON.stringify([space.path(name), ...more])],
    begun: () => space.read(name).split('\n').filter(Boolean).map(Number),
  }
}

/** How many items were ok, failed, cancelled while running and not run, by the summary line. */
export function counts({ stderr }: Pick<CliResult, 'stderr'>): {
  ok: number
  failed: number
  cancelled: number
  notRun: number
} {
  // After the last colon: the reason may contain such words too, as in `item 2 failed, stopped (fail-fast): 2 ok, …`.
  const number = (what: string) => {
    const found = new RegExp(`(?:: |, )([\\d,]+) ${what}(?=[ ,]|$)(?! item)`).exec(lastLine(stderr))
    return Number((found?.[1] ?? '0').replaceAll(',', ''))
  }
  return {
    ok: number('ok'),
    failed: number('failed'),
    cancelled: number('cancelled while running'),
    notRun: number('not run'),
  }
}

/** No item began more than once. */
export function expectNoneTwice(begun: readonly number[]): void {
  expect(begun.filter((item, at) => begun.indexOf(item) !== at)).toEqual([])
}

/** As `normalise`, without any duration: how long something took across two processes is not the subject here. */
export const withoutTimes = (stderr: string) =>
  normalise(stderr)
    .replaceAll(/after [\d.]+ (?:ms|s)\b/g, 'after <time>')
    .replaceAll(/\([\d.]+ (?:ms|s), /g, '(<time>, ')

export const ascending = (items: readonly number[]) => [...items].sort((a, b) => a - b)

/** What a run of `collect` says of each failed item. */
export function failuresIn(stderr: string): ReadonlyMap<number, string> {
  const [first, ...rest] = stderr.split(/^collect: item (\d+) failed, skipped\n/m)
  const failures = new Map<number, string>()
  let text = first!
  for (let i = 0; i + 1 < rest.length; i += 2) {
    failures.set(Number(rest[i]), text)
    text = rest[i + 1]!
  }
  return failures
}
