// From what was given on the command line and in the environment to checked values; the command line wins.
// Knows every option's kind and commands through the table, and no option by name.
import { UsageError } from '../errors/classes.js'
import type { CommandName } from '../plan.js'
import {
  envName,
  longFlag,
  OPTION_ENTRIES,
  type OptionKey,
  type OptionSpec,
  type Settings,
} from './options.js'

export interface Given {
  readonly text: string
  readonly by: 'flag' | 'environment'
}

export type GivenOptions = Readonly<Partial<Record<OptionKey, Given>>>

/** What was asked for, by option. An empty variable counts as unset, as CI systems write it for a missing value. */
export function gather(
  command: CommandName,
  flags: Readonly<Partial<Record<OptionKey, string>>>,
  env: NodeJS.ProcessEnv,
): GivenOptions {
  const given: Partial<Record<OptionKey, Given>> = {}
  for (const [key, spec] of OPTION_ENTRIES) {
    const applies = spec.commands?.includes(command) ?? true
    const flagText = flags[key]
    const envText = env[envName(key)]
    if (flagText !== undefined) {
      if (!applies) throw new UsageError(notFor(key, spec, command))
      given[key] = { text: flagText, by: 'flag' }
    } else if (envText !== undefined && envText !== '' && applies) {
      // A variable may be meant for other commands of the same script: where it does not apply it is no error.
      given[key] = { text: envText, by: 'environment' }
    }
  }
  return given
}

export function readSettings(given: GivenOptions): Settings {
  const settings = OPTION_ENTRIES.map(([key, spec]) => [key, settle(key, spec, given[key])] as const)
  return Object.fromEntries(settings) as Settings
}

function settle(key: OptionKey, spec: OptionSpec, given: Given | undefined): unknown {
  if (given === undefined) return spec.default === undefined ? undefined : spec.kind.read(spec.default)
  const value = spec.kind.read(given.text)
  if (value !== undefined) return value
  const name = given.by === 'flag' ? longFlag(key) : envName(key)
  throw new UsageError(
    `invalid value ${quote(given.text)} for ${name}: expected ${list(spec.kind.accepts, 'disjunction')}`,
  )
}

function notFor(key: OptionKey, spec: OptionSpec, command: CommandName): string {
  return `${longFlag(key)} is for ${list(spec.commands ?? [], 'conjunction')}, not for ${command}`
}

function list(words: readonly string[], type: Intl.ListFormatType): string {
  return new Intl.ListFormat('en-GB', { type }).format(words)
}

/** For messages: one line, and not the whole of a long one. */
export function quote(text: string): string {
  const shown = text.length > 80 ? `${text.slice(0, 79)}…` : text
  return `'${shown.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1))}'`
}
