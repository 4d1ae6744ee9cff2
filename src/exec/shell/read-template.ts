// Reads the template of a shell command once: where each placeholder stands, and whether its value can get there without
// being read as syntax. A value is always a variable of the shell in quotes, never text of the script, so that a place that
// is judged wrongly can split a word, but not run anything.
import type { Placeholder } from '../placeholders.js'
import { CommandList } from './command-list.js'
import { Cursor } from './cursor.js'
import { invalidTemplate } from './refusal.js'
import { Script } from './script.js'
import type { Piece } from './words.js'

export interface ReadTemplate {
  readonly pieces: readonly Piece[]
  /** The different ones, by their number minus 1. */
  readonly placeholders: readonly Placeholder[]
  /** The word that names the first command, where it is fixed. */
  readonly firstWord: string | undefined
  /** Where a placeholder stands in backticks or in a here-document, its value cannot be shown in its place. */
  readonly canShow: boolean
  /** One command without operators. */
  readonly isSimple: boolean
}

export interface ReadOptions {
  /** `{}` stands for all items of a list, as words. */
  readonly spread: boolean
  /** Without any placeholder, the item is added as the last word. */
  readonly append: boolean
  /** Name of the shell, without its folder. */
  readonly shell: string
}

/** @throws UsageError */
export function readShellTemplate(text: string, { spread, append, shell }: ReadOptions): ReadTemplate {
  const cursor = new Cursor(trimEnd(text), spread)
  if (cursor.text === '') invalidTemplate('it is empty')
  const script = new Script(cursor, shell)
  const last = new CommandList(cursor, script).read()
  if (append && cursor.placeholders.length === 0) script.append(last)
  else script.endCommand(last)
  checkParameters(cursor, script)
  return {
    pieces: cursor.pieces,
    placeholders: cursor.placeholders,
    firstWord: script.firstWord,
    canShow: cursor.canShow,
    isSimple: script.isSimple,
  }
}

/** Without white space at the end, unless a backslash escapes it. */
function trimEnd(text: string): string {
  const trimmed = text.replace(/[ \t\n]+$/, '')
  return /(?:^|[^\\])(?:\\\\)*\\$/.test(trimmed) ? text : trimmed
}

function checkParameters(cursor: Cursor, script: Script): void {
  if (cursor.spreadAt === undefined || script.setsParameters === undefined) return
  const refusal = {
    where: `a script with ${script.setsParameters}`,
    why: 'the items are the parameters of the script, which that changes',
    instead: 'leave that out, or put the script into a file that takes the items as arguments',
  }
  cursor.refuse(refusal, cursor.spreadAt)
}
