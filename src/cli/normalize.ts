// Rewrites arguments that commander would misread: `-0`, which it would take for a negative number and so for an item,
// and flags with an optional value, which would swallow the path of the job. Leaves everything after `--` alone.
import { UsageError } from '../errors/classes.js'
import { longFlag, OPTION_ENTRIES, type OptionSpec } from './options.js'

const takesNextArgument = new Set<string>()
const optionalValueFlags = new Map<string, OptionSpec>()
const aliases = new Map<string, string>()
const shortSwitches = new Set<string>()

for (const [key, spec] of OPTION_ENTRIES) {
  const long = longFlag(key)
  if (spec.alias !== undefined) aliases.set(spec.alias.flag, `${long}=${spec.alias.value}`)
  if (spec.bare !== undefined) optionalValueFlags.set(long, spec)
  else if (spec.value !== undefined) {
    takesNextArgument.add(long)
    if (spec.short !== undefined) takesNextArgument.add(`-${spec.short}`)
  } else if (spec.short !== undefined) shortSwitches.add(spec.short)
}

export function normalize(argv: readonly string[]): string[] {
  const normalized: string[] = []
  for (let i = 0; i < argv.length; i++) {
    const argument = argv[i]!
    if (argument === '--') return normalized.concat(argv.slice(i))
    const optionalValue = optionalValueFlags.get(argument)
    if (optionalValue !== undefined) {
      refuseDetachedValue(argument, optionalValue, argv[i + 1])
      normalized.push(`${argument}=${optionalValue.bare}`)
    } else {
      for (const part of splitCluster(argument)) normalized.push(aliases.get(part) ?? part)
      if (takesNextArgument.has(argument) && i + 1 < argv.length) normalized.push(argv[++i]!)
    }
  }
  return normalized
}

/** `--allow-failures 5` would silently turn 5 into an item. */
function refuseDetachedValue(flag: string, spec: OptionSpec, next: string | undefined): void {
  if (next === undefined || spec.type.parse(next) === undefined) return
  throw new UsageError(
    `the value of ${flag} must follow an equals sign: ${flag}=${next} (if '${next}' is an item, put -- before the items)`,
  )
}

/** `-q0` is `-q -0`. Clusters without an alias in them are left to commander. */
function splitCluster(argument: string): readonly string[] {
  if (!/^-[^-]{2,}$/.test(argument) || !aliases.has(`-${argument.at(-1)}`)) return [argument]
  const letters = [...argument.slice(1)]
  return letters.slice(0, -1).every((letter) => shortSwitches.has(letter))
    ? letters.map((letter) => `-${letter}`)
    : [argument]
}
