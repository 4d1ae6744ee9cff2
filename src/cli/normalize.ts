// Rewrites what the parser would take for something else: `-0`, which it would confuse with negative numbers as
// items, and flags whose value is optional, which would swallow the job's path. Stops at `--`.
import { UsageError } from '../errors/classes.js'
import { longFlag, OPTION_ENTRIES, type OptionSpec } from './options.js'

const takesNextWord = new Set<string>()
const bareFlags = new Map<string, OptionSpec>()
const aliases = new Map<string, string>()
const shortSwitches = new Set<string>()

for (const [key, spec] of OPTION_ENTRIES) {
  const long = longFlag(key)
  if (spec.alias !== undefined) aliases.set(spec.alias.flag, `${long}=${spec.alias.means}`)
  if (spec.bare !== undefined) bareFlags.set(long, spec)
  else if (spec.value !== undefined) {
    takesNextWord.add(long)
    if (spec.short !== undefined) takesNextWord.add(`-${spec.short}`)
  } else if (spec.short !== undefined) shortSwitches.add(spec.short)
}

export function normalize(argv: readonly string[]): string[] {
  const words: string[] = []
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!
    if (word === '--') return words.concat(argv.slice(at))
    const bare = bareFlags.get(word)
    if (bare !== undefined) {
      refuseDetachedValue(word, bare, argv[at + 1])
      words.push(`${word}=${bare.bare}`)
    } else {
      for (const part of splitCluster(word)) words.push(aliases.get(part) ?? part)
      if (takesNextWord.has(word) && at + 1 < argv.length) words.push(argv[++at]!)
    }
  }
  return words
}

/** `--allow-failures 5` would silently make 5 an item. */
function refuseDetachedValue(flag: string, spec: OptionSpec, next: string | undefined): void {
  if (next === undefined || spec.kind.read(next) === undefined) return
  throw new UsageError(
    `the value of ${flag} follows an equals sign: ${flag}=${next} (if '${next}' is an item, put -- before the items)`,
  )
}

/** `-q0` is `-q -0`; clusters without an alias in them are left to the parser. */
function splitCluster(word: string): readonly string[] {
  if (!/^-[^-]{2,}$/.test(word) || !aliases.has(`-${word.at(-1)}`)) return [word]
  const letters = [...word.slice(1)]
  return letters.slice(0, -1).every((letter) => shortSwitches.has(letter))
    ? letters.map((letter) => `-${letter}`)
    : [word]
}
