// Here-documents: the delimiter after `<<` or `<<-`, and the text that begins with the next line.
import type { Cursor } from './cursor.js'
import { OpenWord } from './open-word.js'
import { invalidTemplate } from './refusal.js'
import type { OpenCommand } from './script.js'
import { readsScript } from './unsafe-commands.js'
import type { WordReader } from './word-reader.js'

export interface HereDocument {
  readonly delimiter: string
  /** The shell expands nothing in its text. */
  readonly isQuoted: boolean
  readonly stripsTabs: boolean
  /** The command that reads it. */
  readonly command: OpenCommand
}

/** Reads the delimiter. */
export function readDelimiter(
  cursor: Cursor,
  words: WordReader,
  operator: '<<' | '<<-',
  command: OpenCommand,
): HereDocument {
  while (/[ \t]/.test(cursor.char)) cursor.emit(1)
  const start = cursor.at
  const count = cursor.placeCount
  const word = words.read(command.words.length === 0)
  cursor.refuseSince(count, {
    where: 'the delimiter of a here-document',
    why: 'no shell expands it',
    instead: 'write a fixed word',
  })
  if (cursor.at === start) invalidTemplate('a here-document has no delimiter')
  return { delimiter: word.text, isQuoted: word.isQuoted, stripsTabs: operator === '<<-', command }
}

/** Reads the text, and the line with the delimiter. */
export function readHereDocument(cursor: Cursor, words: WordReader, document: HereDocument): void {
  const count = cursor.placeCount
  const end = findDelimiter(cursor, document)
  cursor.within(end, () => {
    if (document.isQuoted) readQuoted(cursor, document)
    else readExpanded(cursor, words)
  })
  cursor.emit(cursor.lineEnd(end) - end)
  if (cursor.placeCount === count) return
  cursor.canShow = false
  if (readsScript(document.command.words))
    cursor.refuseSince(count, {
      where: 'a script that a shell reads from a here-document',
      why: 'that shell would read the item as syntax',
      instead: 'pass it as an argument',
    })
}

function readQuoted(cursor: Cursor, { delimiter }: HereDocument): void {
  cursor.emitFixed(cursor.limit, {
    where: 'a here-document with a quoted delimiter',
    why: 'the shell expands nothing in it',
    instead: `write <<${delimiter} without quotes, or use --exec-stdin`,
  })
}

function readExpanded(cursor: Cursor, words: WordReader): void {
  const text = new OpenWord(cursor.pieces.length)
  while (!cursor.isAtEnd) words.doubleStep(text, false)
}

/** Where the line with the delimiter begins. */
function findDelimiter(cursor: Cursor, { delimiter, stripsTabs }: HereDocument): number {
  for (let at = cursor.at; ; ) {
    const end = cursor.lineEnd(at)
    const line = cursor.text.slice(at, end)
    if ((stripsTabs ? line.replace(/^\t+/, '') : line) === delimiter) return at
    if (end === cursor.limit) invalidTemplate(`the here-document <<${delimiter} has no end`)
    at = end + 1
  }
}
