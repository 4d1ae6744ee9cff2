// What must be the same when a run is resumed, and what differs. Pure.
import type { RunPlan } from '../plan.js'

export type Settings = Readonly<Record<string, unknown>>

/** By their names in messages. What an option like `-j` or `--timeout` says may change from run to run. */
export function settingsOf(plan: RunPlan): Settings {
  const { command, exec, job, initArgs, params, batch, key, shard } = plan
  return {
    'the command': command,
    'the task': job.exportName,
    '--eval': job.expression,
    '--exec': exec?.template,
    '--shell': exec?.shell,
    '--exec-output': exec?.output,
    '--exec-stdin': exec?.stdin,
    '--init-args': initArgs,
    '--param': params,
    '--batch': batch,
    '--key': key,
    '--shard': shard && `${shard.index}/${shard.count}`,
    '--input-format': inputFormatOf(plan),
  }
}

/** As far as it is known before the input is read. */
function inputFormatOf({ input, inputFormat }: RunPlan): string | undefined {
  if (input.kind === 'glob' || input.kind === 'items') return undefined
  return inputFormat
}

/** Names of what differs, with the value in the journal and now. */
export function differences(before: Settings, now: Settings): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(now)])
  return [...names].flatMap((name) => {
    const [then, current] = [canonical(before[name]), canonical(now[name])]
    // A format that is not named is found out from the input.
    if (then === current || (name === '--input-format' && (then === undefined || current === undefined)))
      return []
    return `${name} was ${shown(then)} and is ${shown(current)}`
  })
}

const MAX_SHOWN = 80

function shown(text: string | undefined): string {
  if (text === undefined) return 'not given'
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN - 1)}…` : text
}

/** JSON with sorted keys. */
function canonical(value: unknown): string | undefined {
  return JSON.stringify(value ?? undefined, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )
}

/** Which files of a job have changed, as text. */
export function changedFiles(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].sort()
  return names.flatMap((name) => {
    if (before[name] === now[name]) return []
    if (now[name] === undefined) return `${name} is not part of it any more`
    return before[name] === undefined ? `${name} is new` : `${name} has changed`
  })
}
