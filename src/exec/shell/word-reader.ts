// Reads a word and the quoting in it, and puts placeholders where their values can get there as they are.
import type { FoundPlaceholder } from '../placeholders.js'
import type { Cursor } from './cursor.js'
import {
  type NestedCommands,
  readAnsiQuotes,
  readArithmetic,
  readBackticks,
  readParameter,
} from './expansions.js'
import { OpenWord } from './open-word.js'
import { invalidTemplate } from './refusal.js'
import type { Quoting } from './words.js'

/** They end a word. */
const METACHARACTERS = ' \t\n;&|<>()'

export class WordReader {
  readonly #cursor: Cursor
  readonly #shell: string
  readonly #commands: NestedCommands

  constructor(cursor: Cursor, shell: string, commands: NestedCommands) {
    this.#cursor = cursor
    this.#shell = shell
    this.#commands = commands
  }

  /** `isFirst`: it may name a function, `name()`. */
  read(isFirst: boolean): OpenWord {
    const cursor = this.#cursor
    const word = new OpenWord(cursor.pieces.length)
    while (!cursor.isAtEnd) {
      const c = cursor.char
      if ((c === '<' || c === '>') && cursor.peek() === '(') {
        cursor.emit(1)
        this.#commands.parenthesized()
        word.isDynamic = true
      } else if (c === '(') {
        const isFunction = isFirst && /^\([ \t]*\)/.test(cursor.text.slice(cursor.at))
        if (word.value.length === 0 || isFunction) break
        const isArray = /^[A-Za-z_]\w*\+?=$/.test(word.text) && !word.holds && !word.isQuoted
        if (isArray) this.#commands.parenthesized()
        else this.pattern()
        word.isDynamic = true
      } else if (METACHARACTERS.includes(c)) break
      else this.#step(word)
    }
    return word
  }

  /** `(…)` in a word: alternatives, qualifiers. What a shell makes of them differs. */
  pattern(): void {
    const count = this.#cursor.placeCount
    this.#commands.parenthesized()
    this.#cursor.refuseSince(count, {
      where: 'a pattern',
      why: 'shells read it differently',
      instead: 'put the pattern into a variable',
    })
  }

  /** The next character or expansion, outside quotes. */
  #step(word: OpenWord): void {
    const cursor = this.#cursor
    const c = cursor.char
    switch (c) {
      case '\\':
        return this.#escape(word)
      case "'":
        return this.#single(word)
      case '"':
        return this.#double(word)
      case '`':
        return this.#backticks(word)
      case '$':
        return this.#dollar(word, false)
      case '{':
        if (this.#tryPlace('plain', word)) return
        word.isPattern = true
        break
      case '*':
      case '?':
      case '[':
      case '~':
        word.isPattern = true
    }
    word.add(c)
    cursor.emit(1)
  }

  #escape(word: OpenWord): void {
    const cursor = this.#cursor
    if (cursor.at + 1 >= cursor.limit) invalidTemplate('it ends with a backslash')
    const escaped = cursor.peek()
    if (escaped !== '\n') word.add(escaped)
    word.isQuoted = true
    cursor.emit(2)
  }

  #single(word: OpenWord): void {
    const cursor = this.#cursor
    const start = cursor.at
    word.quote()
    cursor.emit(1)
    while (cursor.char !== "'") {
      if (cursor.isAtEnd) cursor.unclosed('a single quote is not closed', start)
      if (this.#tryPlace('single', word)) continue
      word.add(cursor.char)
      cursor.emit(1)
    }
    cursor.emit(1)
  }

  #double(word: OpenWord): void {
    const cursor = this.#cursor
    const start = cursor.at
    word.quote()
    cursor.emit(1)
    while (cursor.char !== '"' || cursor.isAtEnd) {
      if (cursor.isAtEnd) cursor.unclosed('a double quote is not closed', start)
      this.doubleStep(word, true)
    }
    cursor.emit(1)
  }

  /** The next character or expansion in double quotes, or in a here-document, where a quote is a character. */
  doubleStep(word: OpenWord, isQuoteSpecial: boolean): void {
    const cursor = this.#cursor
    const c = cursor.char
    if (c === '\\') return this.#doubleEscape(word, isQuoteSpecial)
    if (c === '`') return this.#backticks(word)
    if (c === '$') return this.#dollar(word, true)
    if (this.#tryPlace('double', word)) return
    word.add(c)
    cursor.emit(1)
  }

  #doubleEscape(word: OpenWord, isQuoteSpecial: boolean): void {
    const cursor = this.#cursor
    const escaped = cursor.peek()
    if (cursor.matchAt(cursor.at + 1)?.kind === 'placeholder') {
      // Only the shell's own characters are escaped there: this is a backslash, and must not escape what replaces the brace.
      word.add('\\')
      cursor.put('\\\\', 1)
    } else if (cursor.at + 1 >= cursor.limit) {
      word.add('\\')
      cursor.emit(1)
    } else {
      const isEscape = '$`\\\n'.includes(escaped) || (escaped === '"' && isQuoteSpecial)
      if (escaped !== '\n') word.add(isEscape ? escaped : `\\${escaped}`)
      cursor.emit(2)
    }
  }

  #backticks(word: OpenWord): void {
    word.isDynamic = true
    readBackticks(this.#cursor, this.#commands)
  }

  #dollar(word: OpenWord, inDouble: boolean): void {
    const cursor = this.#cursor
    if (cursor.startsWith('$((')) readArithmetic(cursor, '$((')
    else if (cursor.startsWith('$[')) readArithmetic(cursor, '$[')
    else if (cursor.startsWith('${')) readParameter(cursor, inDouble)
    else if (cursor.startsWith('$(')) {
      cursor.emit(1)
      this.#commands.parenthesized()
    } else if (cursor.startsWith("$'") && !inDouble) {
      readAnsiQuotes(cursor, this.#shell)
      word.isQuoted = true
    } else return this.#variable(word, inDouble)
    word.isDynamic = true
  }

  /** `$name`, `$1`, or a `$` that has no meaning for the shell. */
  #variable(word: OpenWord, inDouble: boolean): void {
    const cursor = this.#cursor
    const next = cursor.peek()
    const isSpecial = /[\d@*#?$!-]/.test(next) && cursor.at + 1 < cursor.limit
    // `$"…"` is translated by some shells.
    if (isSpecial || /[A-Za-z_]/.test(next) || (next === '"' && !inDouble)) word.isDynamic = true
    else word.add('$')
    cursor.emit(isSpecial ? 2 : 1)
  }

  // ── placeholders ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** True if there is one here, or `{{}}`. */
  #tryPlace(quoting: Quoting, word: OpenWord): boolean {
    const match = this.#cursor.match()
    if (match?.kind === 'literal') {
      this.#cursor.put('{}', match.length)
      word.add('{}')
      return true
    }
    if (match?.kind !== 'placeholder') return false
    if (this.#cursor.spread) this.#checkSpread(match, quoting, word)
    word.addPlace(this.#cursor.place(match.placeholder, quoting, match.length))
    return true
  }

  /** Of several items, only `{}` as a word of its own can stand for all. */
  #checkSpread({ placeholder, length }: FoundPlaceholder, quoting: Quoting, word: OpenWord): void {
    if (placeholder === '{#}' || placeholder === '{%}') return
    const cursor = this.#cursor
    const instead = 'write {} as a word of its own'
    if (placeholder !== '{}')
      cursor.refuse({ where: 'a command for several items', why: 'only {} stands for all of them', instead })
    const isStart = cursor.pieces.length === word.startPiece
    const isEnd = cursor.at + length >= cursor.limit || METACHARACTERS.includes(cursor.peek(length))
    if (quoting !== 'plain' || !isStart || !isEnd)
      cursor.refuse({
        where: quoting === 'plain' ? 'a longer word' : 'quotes',
        why: 'it stands for several words',
        instead,
      })
  }
}
