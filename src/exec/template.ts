// From a template to what runs for an item: a file and its arguments. The script is constant; values are parameters.
import { UsageError } from '../errors/classes.js'
import { matchAt, type Placeholder } from './placeholders.js'
import { escapeDouble, quoteAlways, quoteWord } from './quote.js'
import { type ReadTemplate, readShellTemplate } from './shell/read-template.js'
import { invalidTemplate, refuse, refuseNearMiss } from './shell/refusal.js'
import { findRefusal } from './shell/unsafe-commands.js'
import type { Piece, Place, Word } from './shell/words.js'

export interface TemplateOptions {
  readonly text: string
  /** Path of a shell, or `none`. */
  readonly shell: string
  /** An item is a list: `{}` stands for all of its elements. */
  readonly spread: boolean
  /** Without any placeholder, the item is the last argument. */
  readonly append: boolean
}

/** The values of the placeholders, by number; with `spread`, `items` stand for `{}`. */
export interface Values {
  readonly values: readonly string[]
  readonly items: readonly string[]
}

export interface Template {
  readonly placeholders: readonly Placeholder[]
  /** The word that names the first command, where it is fixed. */
  readonly firstWord: string | undefined
  /** One command without operators. */
  readonly isSimple: boolean
  /** File and arguments. */
  argv(values: Values): readonly [file: string, ...args: string[]]
  /** A line that a shell runs as this command. */
  show(values: Values): string
  /** As `show`, as a command that leaves the shell around it as it is. */
  showApart(values: Values): string
}

/** Their syntax is not that of a POSIX shell. */
const OTHER_SHELLS =
  /^(?:fish|t?csh|pwsh|powershell|nu|elvish|xonsh|rc|es|ion|oil|node|python[\d.]*|perl|ruby|cmd\.exe)$/
/** What they do outlives them in the shell. */
const CHANGES_SHELL =
  /^(?:cd|exit|exec|set|export|unset|umask|shift|trap|ulimit|alias|readonly|local|return|break|continue|read|eval|wait|\.|:|pushd|popd|source|shopt|declare|typeset)$/

/** @throws UsageError */
export function parseTemplate(options: TemplateOptions): Template {
  return options.shell === 'none' ? withoutShell(options) : withShell(options)
}

function withShell({ text, shell, spread, append }: TemplateOptions): Template {
  const name = shell.slice(shell.lastIndexOf('/') + 1)
  if (OTHER_SHELLS.test(name))
    throw new UsageError(
      `--shell ${shell} does not read the syntax of a POSIX shell, in which --exec templates are written; with --shell none the program starts without one`,
    )
  const read = readShellTemplate(text, { spread, append, shell: name })
  const options = name === 'bash' || name === 'zsh' ? ['-o', 'pipefail'] : []
  const script = scriptOf(read)
  const { placeholders, firstWord } = read
  const isAlone = read.isSimple && firstWord !== undefined && !CHANGES_SHELL.test(firstWord)
  const show = ({ values, items }: Values) =>
    read.canShow ? shown(read.pieces, values, items) : withAssignments(script, read, values, items)
  return {
    placeholders,
    firstWord,
    isSimple: read.isSimple,
    argv: ({ values, items }) => [shell, ...options, '-c', script, name, ...values, ...items],
    show,
    showApart(values) {
      const line = show(values)
      if (isAlone) return line
      return /[#\n]/.test(line) ? `(${line}\n)` : `(${line})`
    },
  }
}

function variable(number: number): string {
  return `poolrun_${number}`
}

/** The parameters become variables first: functions and `set` have parameters of their own. */
function scriptOf({ pieces, placeholders }: ReadTemplate): string {
  const names = placeholders.map((_, i) => `${variable(i + 1)}=${i < 9 ? `$${i + 1}` : `\${${i + 1}}`}`)
  const rest = placeholders.length === 0 ? '' : `${names.join(' ')}; shift ${placeholders.length}; `
  return rest + rawText(pieces)
}

function rawText(pieces: readonly Piece[]): string {
  return pieces
    .map((piece) => {
      if (typeof piece === 'string') return piece
      return 'raw' in piece ? rawText(piece.raw) : reference(piece)
    })
    .join('')
}

function reference({ number, quoting, spreads, placeholder }: Place): string {
  const value = `\${${variable(number)}}`
  switch (quoting) {
    case 'plain':
      return spreads ? '"$@"' : `"${value}"`
    case 'double':
      return value
    case 'single':
      return `'"${value}"'`
    case 'comment':
      return placeholder
    default:
      return quoting satisfies never
  }
}

function shown(pieces: readonly Piece[], values: readonly string[], items: readonly string[]): string {
  return pieces
    .map((piece) => {
      if (typeof piece === 'string') return piece
      if (!('raw' in piece)) return shownPlace(piece, values, items)
      const [only] = piece.value
      if (piece.value.length === 1 && typeof only === 'object' && only.spreads)
        return items.map(quoteWord).join(' ')
      const text = piece.value
        .map((part) => (typeof part === 'string' ? part : values[part.number - 1]!))
        .join('')
      return piece.isName ? quoteAlways(text) : quoteWord(text)
    })
    .join('')
}

function shownPlace(
  { number, quoting, spreads, placeholder }: Place,
  values: readonly string[],
  items: readonly string[],
): string {
  const value = values[number - 1]!
  switch (quoting) {
    case 'plain':
      return spreads ? items.map(quoteWord).join(' ') : quoteWord(value)
    case 'double':
      return escapeDouble(value)
    case 'single':
      return value.replaceAll("'", `'\\''`)
    case 'comment':
      return placeholder
    default:
      return quoting satisfies never
  }
}

/** Where a value cannot stand in its place as text. */
function withAssignments(
  script: string,
  { placeholders, pieces }: ReadTemplate,
  values: readonly string[],
  items: readonly string[],
): string {
  const names = placeholders.map((_, i) => `${variable(i + 1)}=${quoteWord(values[i]!)}`)
  const parameters = script.includes('"$@"') ? ` set -- ${items.map(quoteWord).join(' ')};` : ''
  return `${names.join(' ')};${parameters} ${rawText(pieces)}`
}

// ── without a shell ──────────────────────────────────────────────────────────────────────────────────────────────────

type Argument = readonly (string | Place)[]

function withoutShell({ text, spread, append }: TemplateOptions): Template {
  const placeholders: Placeholder[] = []
  const words = splitWords(text, spread, placeholders)
  if (words.length === 0) invalidTemplate('it is empty')
  if (placeholders.length === 0 && append) {
    placeholders.push('{}')
    words.push([{ placeholder: '{}', number: 1, quoting: 'plain', spreads: spread }])
  }
  const refused = findRefusal({ words: words.map(asWord), redirects: [] }, true)
  if (refused !== undefined && !/^the arguments of (?!watch|parallel)/.test(refused.where))
    refuse(text, Math.max(text.search(/\{(?:\}|[./#%]|item\.)/), 0), refused)
  const argv = ({ values, items }: Values) =>
    words.flatMap((word) => {
      const [only] = word
      if (typeof only === 'object' && only.spreads) return items
      return [word.map((part) => (typeof part === 'string' ? part : values[part.number - 1]!)).join('')]
    })
  const first = words[0]!
  const show = (values: Values) =>
    argv(values)
      .map((word, i) => (i === 0 && /[^\w./-]/.test(word) ? quoteAlways(word) : quoteWord(word)))
      .join(' ')
  return {
    placeholders,
    isSimple: true,
    firstWord: first.every((part) => typeof part === 'string') ? first.join('') : undefined,
    argv: (values) => argv(values) as [string, ...string[]],
    show,
    showApart: show,
  }
}

function asWord(word: Argument): Word {
  const texts = word.filter((part) => typeof part === 'string')
  return {
    text: texts.join(''),
    prefix: typeof word[0] === 'string' ? word[0] : '',
    holds: texts.length < word.length,
    spreads: word.some((part) => typeof part === 'object' && part.spreads),
  }
}

/** Quotes group; nothing else is special. */
function splitWords(text: string, spread: boolean, placeholders: Placeholder[]): Argument[] {
  const words: (string | Place)[][] = []
  let word: (string | Place)[] | undefined
  let quote = ''
  for (let at = 0; at < text.length; ) {
    const c = text[at]!
    if (quote === '' && /[ \t\n]/.test(c)) {
      word = undefined
      at++
      continue
    }
    if (word === undefined) {
      word = []
      words.push(word)
    }
    if (c === quote || (quote === '' && (c === "'" || c === '"'))) {
      quote = c === quote ? '' : c
      word.push('')
      at++
      continue
    }
    const match = c === '{' ? matchAt(text, at) : undefined
    if (match?.kind === 'near-miss') refuseNearMiss(match.text, match.hint)
    if (match === undefined || match.kind === 'literal') {
      word.push(match === undefined ? c : '{}')
      at += match?.length ?? 1
      continue
    }
    const { placeholder, length } = match
    const spreads = spread && placeholder === '{}'
    if (spread && !/^\{[#%]\}$/.test(placeholder)) {
      const isAlone = word.length === 0 && /^(?:[ \t\n]|$)/.test(text.slice(at + length))
      if (!spreads || !isAlone)
        refuse(text, at, {
          where: spreads ? 'a longer word' : 'a command for several items',
          why: 'only {} stands for all of them',
          instead: 'write {} as a word of its own',
        })
    }
    let number = placeholders.indexOf(placeholder) + 1
    if (number === 0) number = placeholders.push(placeholder)
    word.push({ placeholder, number, quoting: 'plain', spreads })
    at += length
  }
  if (quote !== '') invalidTemplate(`a ${quote === '"' ? 'double' : 'single'} quote is not closed`)
  return words
}
