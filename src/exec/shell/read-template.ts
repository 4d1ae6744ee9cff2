// Reads the template of a shell command once: where each placeholder stands, and whether its value can get there without
// being read as syntax. A value is always a variable of the shell in quotes, never text of the script, so that a place that
// is judged wrongly can split a word, but not run anything.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are parts of shell scripts
import type { Placeholder } from '../placeholders.js'
import { Cursor } from './cursor.js'
import { type NestedCommands, readArithmetic } from './expansions.js'
import { OpenWord } from './open-word.js'
import { invalidTemplate } from './refusal.js'
import { findRefusal, readsScript } from './unsafe-commands.js'
import { WordReader } from './word-reader.js'
import type { Piece, Word } from './words.js'

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

/** The next word is in the position of a command, too. */
const BEFORE_COMMAND = new Set([
  'if',
  'then',
  'elif',
  'else',
  'while',
  'until',
  'do',
  '!',
  '{',
  'time',
  'coproc',
])
const AFTER_COMPOUND = new Set(['}', 'fi', 'done', 'esac', ']]'])
const REDIRECTION = /<<<|<<-|<<|<>|<&|<|>>|>&|>\||>/y

/** @throws UsageError */
export function readShellTemplate(text: string, options: ReadOptions): ReadTemplate {
  return new Reader(text, options).read()
}

interface HereDocument {
  readonly delimiter: string
  readonly isQuoted: boolean
  readonly stripsTabs: boolean
  readonly command: OpenCommand
}

class OpenCommand {
  words: Word[] = []
  readonly redirects: { operator: string; word: Word }[] = []
  isCompound = false
  redirection: string | undefined
  dropsNext = false
  hasName = false
  /** Placeholders before it. */
  readonly placesBefore: number

  constructor(placesBefore: number) {
    this.placesBefore = placesBefore
  }
}

/** Without white space at the end, unless a backslash escapes it. */
function trimEnd(text: string): string {
  const trimmed = text.replace(/[ \t\n]+$/, '')
  return /(?:^|[^\\])(?:\\\\)*\\$/.test(trimmed) ? text : trimmed
}

class Reader implements NestedCommands {
  readonly #options: ReadOptions
  readonly #cursor: Cursor
  readonly #words: WordReader
  #setsParameters: string | undefined
  #firstWord: { readonly text: string | undefined } | undefined
  #commands = 0
  #operators = 0
  #endsInComment = false

  constructor(text: string, options: ReadOptions) {
    this.#options = options
    this.#cursor = new Cursor(trimEnd(text), options.spread)
    this.#words = new WordReader(this.#cursor, options.shell, this)
  }

  read(): ReadTemplate {
    const cursor = this.#cursor
    if (cursor.text === '') invalidTemplate('it is empty')
    const last = this.#list('end')
    if (cursor.placeholders.length === 0 && this.#options.append) this.#append(last)
    else this.#endCommand(last)
    if (cursor.spreadAt !== undefined && this.#setsParameters !== undefined)
      cursor.refuse(
        {
          where: `a script with ${this.#setsParameters}`,
          why: 'the items are the parameters of the script, which that changes',
          instead: 'leave that out, or put the script into a file that takes the items as arguments',
        },
        cursor.spreadAt,
      )
    return {
      pieces: cursor.pieces,
      placeholders: cursor.placeholders,
      firstWord: this.#firstWord?.text,
      canShow: cursor.canShow,
      isSimple: this.#commands === 1 && this.#operators === 0,
    }
  }

  upTo(end: number): void {
    this.#cursor.within(end, () => this.#endCommand(this.#list('end')))
  }

  // ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Commands up to the end, or to the parenthesis that closes them. Returns the last command, if nothing has ended it. */
  #list(end: 'end' | ')'): OpenCommand {
    let command = new OpenCommand(this.#cursor.placeCount)
    const documents: HereDocument[] = []
    const cases: ('subject' | 'pattern' | 'body')[] = []
    const next = () => {
      this.#endCommand(command, cases.at(-1) === 'pattern')
      command = new OpenCommand(this.#cursor.placeCount)
    }
    while (!this.#cursor.isAtEnd) {
      const c = this.#cursor.char
      if (c === ' ' || c === '\t') this.#cursor.emit(1)
      else if (c === '\\' && this.#cursor.peek() === '\n') this.#cursor.emit(2)
      else if (c === '\n') {
        if (cases.at(-1) !== 'subject') next()
        this.#cursor.emit(1)
        if (command.words.length === 0) this.#operators++
        for (const document of documents.splice(0)) this.#hereDocument(document)
      } else if (c === '#') {
        this.#comment()
      } else if (c === ';' || c === '&' || c === '|') {
        if (c === '&' && this.#cursor.peek() === '>') {
          this.#cursor.emit(this.#cursor.peek(2) === '>' ? 3 : 2)
          command.redirection = '&>'
          continue
        }
        const isCaseEnd = c === ';' && /[;&|]/.test(this.#cursor.peek())
        if (cases.at(-1) === 'pattern' && c === '|') {
          this.#cursor.emit(1)
          continue
        }
        next()
        this.#operators++
        this.#cursor.emit(isCaseEnd ? 2 : 1)
        if (isCaseEnd && cases.at(-1) === 'body') cases[cases.length - 1] = 'pattern'
      } else if ((c === '<' || c === '>') && this.#cursor.peek() !== '(') {
        this.#redirection(command, documents)
      } else if (c === '(') {
        if (cases.at(-1) === 'pattern') this.#cursor.emit(1)
        else if (this.#parenthesis(command)) next()
      } else if (c === ')') {
        if (cases.at(-1) === 'pattern') {
          this.#cursor.emit(1)
          command = new OpenCommand(this.#cursor.placeCount)
          cases[cases.length - 1] = 'body'
        } else {
          if (end === ')') return this.#closed(command, documents)
          next()
          this.#operators++
          this.#cursor.emit(1)
        }
      } else {
        const word = this.#words.read(command.words.length === 0)
        const text = word.keyword
        if (cases.at(-1) === 'pattern' && text === 'esac') {
          cases.pop()
          command = new OpenCommand(this.#cursor.placeCount)
          command.isCompound = true
          continue
        }
        if (command.words.length === 0 && text === 'case' && command.redirection === undefined) {
          cases.push('subject')
          this.#addWord(command, word)
          continue
        }
        if (cases.at(-1) === 'subject' && text === 'in' && command.words.length >= 2) {
          cases[cases.length - 1] = 'pattern'
          command = new OpenCommand(this.#cursor.placeCount)
          continue
        }
        if (cases.at(-1) === 'body' && text === 'esac' && command.words.length === 0) cases.pop()
        this.#addWord(command, word)
      }
    }
    if (end === ')') invalidTemplate('( is not closed')
    if (documents.length > 0) invalidTemplate(`the here-document <<${documents[0]!.delimiter} has no text`)
    return command
  }

  #closed(command: OpenCommand, documents: readonly HereDocument[]): OpenCommand {
    if (documents.length > 0) invalidTemplate('a here-document is not complete where its ) is')
    this.#endCommand(command)
    return command
  }

  #addWord(command: OpenCommand, word: OpenWord): void {
    const text = word.keyword
    const read = word.close()
    if (command.redirection !== undefined) {
      if (read.spreads)
        this.#cursor.refuseSince(this.#cursor.placeCount - 1, {
          where: 'the target of a redirection',
          why: 'it is one file',
          instead: 'name one file',
        })
      command.redirects.push({ operator: command.redirection, word: read })
      command.redirection = undefined
      return this.#join(word, false)
    }
    if (command.dropsNext) {
      command.dropsNext = false
      return
    }
    if (command.words.length === 0) {
      if (BEFORE_COMMAND.has(text)) {
        if (text !== '!' && text !== 'time') this.#operators++
        return
      }
      if (AFTER_COMPOUND.has(text)) {
        command.isCompound = true
        this.#operators++
        return
      }
      if (text === 'function') {
        this.#setsParameters = 'a function'
        command.dropsNext = true
        return
      }
    }
    command.words.push(read)
    if (!command.hasName && /^[A-Za-z_]\w*\+?=/.test(read.prefix)) return
    const isName = !command.hasName
    if (isName) {
      command.hasName = true
      const isFixed = !word.holds && word.isFixed
      this.#firstWord ??= { text: isFixed ? word.text : undefined }
      if (text === 'set' || text === 'shift') this.#setsParameters = text
      if (text === '.' || text === 'source') this.#setsParameters = `${text}, which may contain set`
    }
    this.#join(word, isName)
  }

  #endCommand(command: OpenCommand, isPattern = false): void {
    if (command.redirection !== undefined && this.#cursor.isAtEnd)
      invalidTemplate('a redirection has no file')
    if (command.words.length === 0 || isPattern) return
    this.#commands++
    const isPosix = /^(?:sh|dash|ash|bash)$/.test(this.#options.shell)
    const refused = findRefusal(command, isPosix)
    if (refused !== undefined) this.#cursor.refuseSince(command.placesBefore, refused)
  }

  /** The item as the last word of the last command. */
  #append(command: OpenCommand): void {
    const cursor = this.#cursor
    const hint = `write {} where the item goes, or give it on stdin with --exec-stdin`
    if (this.#endsInComment) invalidTemplate(`it ends in a comment, where no item can be added; ${hint}`)
    if (!command.hasName || command.isCompound)
      invalidTemplate(`it does not end with the words of a command, where the item could be added; ${hint}`)
    cursor.put(' ', 0)
    const word = new OpenWord(cursor.pieces.length)
    word.addPlace(cursor.place('{}', 'plain', 0))
    this.#addWord(command, word)
    this.#endCommand(command)
  }

  /** Of a word that is fixed but for its placeholders, the value is known. */
  #join(word: OpenWord, isName: boolean): void {
    if (word.holds && word.isFixed) this.#cursor.join(word, isName)
  }

  #redirection(command: OpenCommand, documents: HereDocument[]): void {
    REDIRECTION.lastIndex = this.#cursor.at
    const operator = REDIRECTION.exec(this.#cursor.text)![0]
    this.#cursor.emit(operator.length)
    if (operator !== '<<' && operator !== '<<-') {
      command.redirection = operator
      return
    }
    while (' \t'.includes(this.#cursor.char || '\n')) this.#cursor.emit(1)
    const start = this.#cursor.at
    const count = this.#cursor.placeCount
    const word = this.#words.read(command.words.length === 0)
    this.#cursor.refuseSince(count, {
      where: 'the delimiter of a here-document',
      why: 'no shell expands it',
      instead: 'write a fixed word',
    })
    if (this.#cursor.at === start) invalidTemplate('a here-document has no delimiter')
    documents.push({ delimiter: word.text, isQuoted: word.isQuoted, stripsTabs: operator === '<<-', command })
  }

  /** Returns true if what follows is a new command. */
  #parenthesis(command: OpenCommand): boolean {
    if (command.words.length === 0 && command.redirection === undefined) {
      if (this.#cursor.startsWith('((')) readArithmetic(this.#cursor, '((')
      else this.parenthesized()
      command.isCompound = true
      this.#operators++
      return false
    }
    const definition = /^\([ \t]*\)/.exec(this.#cursor.text.slice(this.#cursor.at, this.#cursor.limit))
    if (command.words.length === 1 && definition !== null) {
      this.#cursor.emit(definition[0].length)
      this.#setsParameters = 'a function'
      this.#firstWord = { text: undefined }
      command.words = []
      command.hasName = false
      this.#operators++
      return false
    }
    // `for ((…))`
    if (this.#cursor.startsWith('((')) readArithmetic(this.#cursor, '((')
    else this.#words.pattern()
    return false
  }

  parenthesized(): void {
    this.#cursor.emit(1)
    this.#list(')')
    this.#cursor.emit(1)
  }

  /** Alternatives, qualifiers: what a shell makes of them differs. */
  #pattern(): void {
    const count = this.#cursor.placeCount
    this.parenthesized()
    this.#cursor.refuseSince(count, {
      where: 'a pattern',
      why: 'shells read it differently',
      instead: 'put the pattern into a variable',
    })
  }

  #comment(): void {
    const cursor = this.#cursor
    while (!cursor.isAtEnd && cursor.char !== '\n') {
      const match = cursor.match()
      if (match?.kind === 'placeholder') cursor.place(match.placeholder, 'comment', match.length)
      else cursor.emit(1)
    }
    this.#endsInComment = cursor.at >= cursor.text.length
  }

  #hereDocument(document: HereDocument): void {
    const cursor = this.#cursor
    const count = cursor.placeCount
    const end = this.#findDelimiter(document)
    cursor.within(end, () => {
      if (document.isQuoted)
        cursor.emitFixed(end, {
          where: 'a here-document with a quoted delimiter',
          why: 'the shell expands nothing in it',
          instead: `write <<${document.delimiter} without quotes, or use --exec-stdin`,
        })
      const word = new OpenWord(cursor.pieces.length)
      while (!cursor.isAtEnd) this.#words.doubleStep(word, false)
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

  /** The beginning of the line that ends the text of the document. */
  #findDelimiter({ delimiter, stripsTabs }: HereDocument): number {
    const cursor = this.#cursor
    for (let at = cursor.at; ; ) {
      const end = cursor.lineEnd(at)
      const line = cursor.text.slice(at, end)
      if ((stripsTabs ? line.replace(/^\t+/, '') : line) === delimiter) return at
      if (end === cursor.limit) invalidTemplate(`the here-document <<${delimiter} has no end`)
      at = end + 1
    }
  }
}
