// Reads commands with what separates and encloses them: operators, parentheses, `case`, redirections, comments. Each pair
// of parentheses or backticks has a list of its own.
import { CaseNesting } from './case-nesting.js'
import type { Cursor } from './cursor.js'
import { type NestedCommands, readArithmetic } from './expansions.js'
import { type HereDocument, readDelimiter, readHereDocument } from './here-document.js'
import { invalidTemplate } from './refusal.js'
import type { OpenCommand, Script } from './script.js'
import { WordReader } from './word-reader.js'

const REDIRECTION = /&>>?|<<<|<<-|<<|<>|<&|<|>>|>&|>\||>/y

export class CommandList implements NestedCommands {
  readonly #cursor: Cursor
  readonly #script: Script
  readonly #words: WordReader
  readonly #cases = new CaseNesting()
  /** Their text begins with the next line. */
  readonly #documents: HereDocument[] = []
  #command: OpenCommand

  constructor(cursor: Cursor, script: Script) {
    this.#cursor = cursor
    this.#script = script
    this.#words = new WordReader(cursor, script.shell, this)
    this.#command = script.openCommand()
  }

  /** Reads to the end. Returns the last command, which is still open. */
  read(): OpenCommand {
    while (!this.#cursor.isAtEnd) this.#step()
    const [document] = this.#documents
    if (document !== undefined) invalidTemplate(`the here-document <<${document.delimiter} has no text`)
    return this.#command
  }

  upTo(end: number): void {
    const list = new CommandList(this.#cursor, this.#script)
    this.#cursor.within(end, () => this.#script.endCommand(list.read()))
  }

  parenthesized(): void {
    this.#cursor.emit(1)
    new CommandList(this.#cursor, this.#script).#readToParenthesis()
    this.#cursor.emit(1)
  }

  #readToParenthesis(): void {
    for (;;) {
      if (this.#cursor.isAtEnd) invalidTemplate('( is not closed')
      if (this.#cursor.char === ')' && this.#cases.part !== 'pattern') break
      this.#step()
    }
    if (this.#documents.length > 0) invalidTemplate('a here-document is not complete where its ) is')
    this.#script.endCommand(this.#command)
  }

  #step(): void {
    const cursor = this.#cursor
    const c = cursor.char
    if (c === ' ' || c === '\t') cursor.emit(1)
    else if (cursor.startsWith('\\\n')) cursor.emit(2)
    else if (c === '\n') this.#newline()
    else if (c === '#') this.#comment()
    else if (cursor.startsWith('&>') || ((c === '<' || c === '>') && cursor.peek() !== '('))
      this.#redirection()
    else if (c === ';' || c === '&' || c === '|') this.#operator(c)
    else if (c === '(') this.#openParenthesis()
    else if (c === ')') this.#closeParenthesis()
    else this.#word()
  }

  /** What ends the open command comes next. In a `case`, it may have been words of a pattern. */
  #endCommand(): void {
    if (this.#cases.part !== 'pattern') this.#script.endCommand(this.#command)
    this.#command = this.#script.openCommand()
  }

  #newline(): void {
    if (this.#cases.part !== 'subject') this.#endCommand()
    this.#cursor.emit(1)
    if (this.#command.words.length === 0) this.#script.hasOperators = true
    for (const document of this.#documents.splice(0)) readHereDocument(this.#cursor, this.#words, document)
  }

  #comment(): void {
    const cursor = this.#cursor
    while (!cursor.isAtEnd && cursor.char !== '\n') {
      const match = cursor.match()
      if (match?.kind === 'placeholder') cursor.place(match.placeholder, 'comment', match.length)
      else cursor.emit(1)
    }
    this.#script.endsInComment = cursor.at >= cursor.text.length
  }

  #redirection(): void {
    REDIRECTION.lastIndex = this.#cursor.at
    const operator = REDIRECTION.exec(this.#cursor.text)![0]
    this.#cursor.emit(operator.length)
    if (operator === '<<' || operator === '<<-')
      this.#documents.push(readDelimiter(this.#cursor, this.#words, operator, this.#command))
    else this.#command.redirection = operator
  }

  #operator(c: ';' | '&' | '|'): void {
    if (c === '|' && this.#cases.part === 'pattern') return this.#cursor.emit(1)
    const endsBody = c === ';' && /[;&|]/.test(this.#cursor.peek())
    this.#endCommand()
    this.#script.hasOperators = true
    this.#cursor.emit(endsBody ? 2 : 1)
    if (endsBody && this.#cases.part === 'body') this.#cases.goOn('pattern')
  }

  /** A subshell, `((…))`, `name()`, `for ((…))`, or a pattern. */
  #openParenthesis(): void {
    const cursor = this.#cursor
    const command = this.#command
    if (this.#cases.part === 'pattern') return cursor.emit(1)
    const isArithmetic = cursor.startsWith('((')
    const definition = /^\([ \t]*\)/.exec(cursor.text.slice(cursor.at, cursor.limit))
    if (command.words.length === 0 && command.redirection === undefined) {
      if (isArithmetic) readArithmetic(cursor, '((')
      else this.parenthesized()
      this.#script.endCompound(command)
    } else if (command.words.length === 1 && definition !== null) {
      cursor.emit(definition[0].length)
      this.#script.beginFunction(command)
    } else if (isArithmetic) readArithmetic(cursor, '((')
    else this.#words.pattern()
  }

  /** The end of a pattern, or one without its beginning: another list ends at its own. */
  #closeParenthesis(): void {
    if (this.#cases.part === 'pattern') {
      this.#cursor.emit(1)
      this.#command = this.#script.openCommand()
      this.#cases.goOn('body')
    } else {
      this.#endCommand()
      this.#script.hasOperators = true
      this.#cursor.emit(1)
    }
  }

  #word(): void {
    const isFirst = this.#command.words.length === 0
    const word = this.#words.read(isFirst)
    const { part } = this.#cases
    const text = word.keyword
    if (part === 'pattern' && text === 'esac') {
      this.#cases.leave()
      this.#command = this.#script.openCommand()
      this.#command.isCompound = true
    } else if (part === 'subject' && text === 'in' && this.#command.words.length >= 2) {
      this.#cases.goOn('pattern')
      this.#command = this.#script.openCommand()
    } else {
      if (isFirst && text === 'case' && this.#command.redirection === undefined) this.#cases.enter()
      if (isFirst && text === 'esac' && part === 'body') this.#cases.leave()
      this.#script.add(this.#command, word)
    }
  }
}
