// From flags and environment variables to checked option values. A flag wins over its variable.
import { UsageError } from '../errors/classes.js'
import type { CommandName } from '../plan.js'
import { REPEATED } from './option-types.js'
import {
  envName,
  longFlag,
  OPTION_ENTRIES,
  type OptionKey,
  type OptionSpec,
  type OptionValues,
} from './options.js'

/** Flags as text, in the form that their environment variable would have. */
export type Flags = Readonly<Partial<Record<OptionKey, string>>>

interface GivenOption {
  readonly text: string
  readonly source: 'flag' | 'environment'
}

export type GivenOptions = Readonly<Partial<Record<OptionKey, GivenOption>>>

/** An empty variable counts as unset: CI systems set missing values to an empty string. */
export function mergeFlagsAndEnvironment(
  command: CommandName,
  flags: Flags,
  env: NodeJS.ProcessEnv,
  keys?: readonly OptionKey[],
): GivenOptions {
  const given: Partial<Record<OptionKey, GivenOption>> = {}
  for (const [key, spec] of OPTION_ENTRIES) {
    if (keys?.includes(key) === false) continue
    const applies = spec.commands?.includes(command) ?? true
    const flagText = flags[key]
    const envText = spec.flagOnly ? undefined : env[envName(key)]
    if (flagText !== undefined) {
      if (!applies) throw new UsageError(wrongCommandMessage(key, spec, command))
      given[key] = { text: flagText, source: 'flag' }
    } else if (envText !== undefined && envText !== '' && applies) {
      // A variable that does not apply is not an error: it may be meant for other commands of the same script.
      const text =
        spec.separator === undefined ? asSwitch(spec, envText) : envText.split(spec.separator).join(REPEATED)
      given[key] = { text, source: 'environment' }
    }
  }
  return given
}

/** An option whose value is optional is a switch, too: `1` is the bare flag, unless it is a value itself. */
function asSwitch({ bare, type, default: off }: OptionSpec, text: string): string {
  if (bare === undefined || type.parse(text) !== undefined) return text
  return text === '1' ? bare : text === '0' && off !== undefined ? off : text
}

export function readOptions(given: GivenOptions): OptionValues {
  const values = OPTION_ENTRIES.map(([key, spec]) => [key, readOption(key, spec, given[key])] as const)
  return Object.fromEntries(values) as OptionValues
}

function readOption(key: OptionKey, spec: OptionSpec, given: GivenOption | undefined): unknown {
  if (given === undefined) return spec.default === undefined ? undefined : spec.type.parse(spec.default)
  const value = spec.type.parse(given.text)
  if (value !== undefined) return value
  const name = given.source === 'flag' ? longFlag(key) : envName(key)
  const wrong = given.text.split(REPEATED).find((text) => spec.type.parse(text) === undefined)
  throw new UsageError(
    `invalid value ${quote(wrong ?? given.text)} for ${name}: expected ${list(spec.type.accepts, 'disjunction')}`,
  )
}

function wrongCommandMessage(key: OptionKey, spec: OptionSpec, command: CommandName): string {
  return `${longFlag(key)} is for ${list(spec.commands ?? [], 'conjunction')}, not for ${command}`
}

function list(words: readonly string[], type: Intl.ListFormatType): string {
  return new Intl.ListFormat('en-GB', { type }).format(words)
}

/** For messages: on one line, long text shortened. */
export function quote(text: string): string {
  const shortened = text.length > 80 ? `${text.slice(0, 79)}…` : text
  return `'${shortened.replace(/\p{Cc}/gu, (char) => JSON.stringify(char).slice(1, -1))}'`
}
