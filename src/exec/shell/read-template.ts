// Reads the template of a shell command once: where each placeholder stands, and whether its value can get there without
// being read as syntax. A value is always a variable of the shell in quotes, never text of the script, so that a place that
// is judged wrongly can split a word, but not run anything.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are parts of shell scripts
import { UsageError } from '../../errors/classes.js'
import { matchAt, type Placeholder } from '../placeholders.js'
import { type Refusal, refuse, refuseNearMiss } from './refusal.js'
import { findRefusal, readsScript } from './unsafe-commands.js'
import type { Piece, Place, Quoting, Word } from './words.js'

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
const METACHARACTERS = ' \t\n;&|<>()'
const REDIRECTION = /<<<|<<-|<<|<>|<&|<|>>|>&|>\||>/y
const WITH_FALLBACK_QUOTES = /^(?:bash|zsh|r?ksh\d*|mksh)$/

/** @throws UsageError */
export function readShellTemplate(text: string, options: ReadOptions): ReadTemplate {
  return new Reader(text, options).read()
}

class OpenWord {
  readonly startPiece: number
  readonly value: (string | Place)[] = []
  /** Parts that only the shell knows. */
  isDynamic = false
  /** Characters that a shell expands to file names or alternatives. */
  isPattern = false
  holds = false
  spreads = false
  isQuoted = false

  constructor(startPiece: number) {
    this.startPiece = startPiece
  }

  add(part: string | Place): void {
    const last = this.value.length - 1
    if (typeof part === 'string' && typeof this.value[last] === 'string') this.value[last] += part
    else this.value.push(part)
  }

  get text(): string {
    return this.value.filter((part) => typeof part === 'string').join('')
  }
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

class Reader {
  readonly #options: ReadOptions
  readonly #text: string
  readonly #pieces: Piece[] = []
  readonly #placeholders: Placeholder[] = []
  /** Where they stand, in order. */
  readonly #places: number[] = []
  #at = 0
  /** The end of what is read: of the template, of a pair of backticks or of a here-document. */
  #limit: number
  #spreadAt = -1
  #setsParameters: string | undefined
  #firstWord: { readonly text: string | undefined } | undefined
  #canShow = true
  #commands = 0
  #operators = 0
  #endsInComment = false

  constructor(text: string, options: ReadOptions) {
    this.#options = options
    const trimmed = text.replace(/[ \t\n]+$/, '')
    this.#text = /(?:^|[^\\])(?:\\\\)*\\$/.test(trimmed) ? text : trimmed
    this.#limit = this.#text.length
  }

  read(): ReadTemplate {
    if (this.#text === '') throw new UsageError('invalid --exec template: it is empty')
    const last = this.#list('end')
    const { append, spread } = this.#options
    if (this.#placeholders.length === 0 && append) this.#append(last)
    else this.#endCommand(last)
    if (spread && this.#spreadAt >= 0 && this.#setsParameters !== undefined)
      refuse(this.#text, this.#spreadAt, {
        where: `a script with ${this.#setsParameters}`,
        why: 'the items are the parameters of the script, which that changes',
        instead: 'leave that out, or put the script into a file that takes the items as arguments',
      })
    return {
      pieces: this.#pieces,
      placeholders: this.#placeholders,
      firstWord: this.#firstWord?.text,
      canShow: this.#canShow,
      isSimple: this.#commands === 1 && this.#operators === 0,
    }
  }

  // ── commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Commands up to the end, or to the parenthesis that closes them. Returns the last command, if nothing has ended it. */
  #list(end: 'end' | ')'): OpenCommand {
    let command = new OpenCommand(this.#places.length)
    const documents: HereDocument[] = []
    const cases: ('subject' | 'pattern' | 'body')[] = []
    const next = () => {
      this.#endCommand(command, cases.at(-1) === 'pattern')
      command = new OpenCommand(this.#places.length)
    }
    while (this.#at < this.#limit) {
      const c = this.#text[this.#at]!
      if (c === ' ' || c === '\t') this.#emit(1)
      else if (c === '\\' && this.#text[this.#at + 1] === '\n') this.#emit(2)
      else if (c === '\n') {
        if (cases.at(-1) !== 'subject') next()
        this.#emit(1)
        if (command.words.length === 0) this.#operators++
        for (const document of documents.splice(0)) this.#hereDocument(document)
      } else if (c === '#') {
        this.#comment()
      } else if (c === ';' || c === '&' || c === '|') {
        if (c === '&' && this.#text[this.#at + 1] === '>') {
          this.#emit(this.#text[this.#at + 2] === '>' ? 3 : 2)
          command.redirection = '&>'
          continue
        }
        const isCaseEnd = c === ';' && /[;&|]/.test(this.#text[this.#at + 1] ?? '')
        if (cases.at(-1) === 'pattern' && c === '|') {
          this.#emit(1)
          continue
        }
        next()
        this.#operators++
        this.#emit(isCaseEnd ? 2 : 1)
        if (isCaseEnd && cases.at(-1) === 'body') cases[cases.length - 1] = 'pattern'
      } else if ((c === '<' || c === '>') && this.#text[this.#at + 1] !== '(') {
        this.#redirection(command, documents)
      } else if (c === '(') {
        if (cases.at(-1) === 'pattern') this.#emit(1)
        else if (this.#parenthesis(command)) next()
      } else if (c === ')') {
        if (cases.at(-1) === 'pattern') {
          this.#emit(1)
          command = new OpenCommand(this.#places.length)
          cases[cases.length - 1] = 'body'
        } else {
          if (end === ')') return this.#closed(command, documents)
          next()
          this.#operators++
          this.#emit(1)
        }
      } else {
        const word = this.#word(command)
        const text = word.isQuoted || word.isDynamic || word.holds ? '' : word.text
        if (cases.at(-1) === 'pattern' && text === 'esac') {
          cases.pop()
          command = new OpenCommand(this.#places.length)
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
          command = new OpenCommand(this.#places.length)
          continue
        }
        if (cases.at(-1) === 'body' && text === 'esac' && command.words.length === 0) cases.pop()
        this.#addWord(command, word)
      }
    }
    if (end === ')') this.#unfinished('( is not closed')
    if (documents.length > 0) this.#unfinished(`the here-document <<${documents[0]!.delimiter} has no text`)
    return command
  }

  #closed(command: OpenCommand, documents: readonly HereDocument[]): OpenCommand {
    if (documents.length > 0) this.#unfinished('a here-document is not complete where its ) is')
    this.#endCommand(command)
    return command
  }

  #addWord(command: OpenCommand, word: OpenWord): void {
    const text = word.isQuoted || word.isDynamic || word.holds ? '' : word.text
    const read: Word = {
      text: word.isDynamic && !word.holds && word.value.length !== 1 ? '' : word.text,
      prefix: typeof word.value[0] === 'string' ? word.value[0] : '',
      holds: word.holds,
      spreads: word.spreads,
    }
    if (command.redirection !== undefined) {
      if (word.spreads)
        this.#refuseSince(this.#places.length - 1, {
          where: 'the target of a redirection',
          why: 'it is one file',
          instead: 'name one file',
        })
      command.redirects.push({ operator: command.redirection, word: read })
      command.redirection = undefined
      return this.#close(word, false)
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
      const isFixed = !word.holds && !word.isDynamic && !word.isPattern
      this.#firstWord ??= { text: isFixed ? word.text : undefined }
      if (text === 'set' || text === 'shift') this.#setsParameters = text
      if (text === '.' || text === 'source') this.#setsParameters = `${text}, which may contain set`
    }
    this.#close(word, isName)
  }

  #endCommand(command: OpenCommand, isPattern = false): void {
    if (command.redirection !== undefined && this.#at >= this.#limit)
      this.#unfinished('a redirection has no file')
    if (command.words.length === 0 || isPattern) return
    this.#commands++
    const isPosix = /^(?:sh|dash|ash|bash)$/.test(this.#options.shell)
    const refused = findRefusal(command, isPosix)
    if (refused !== undefined) this.#refuseSince(command.placesBefore, refused)
  }

  /** The item as the last word of the last command. */
  #append(command: OpenCommand): void {
    const hint = `write {} where the item goes, or give it on stdin with --exec-stdin`
    if (this.#endsInComment)
      throw new UsageError(
        `invalid --exec template: it ends in a comment, where no item can be added; ${hint}`,
      )
    if (!command.hasName || command.isCompound || this.#pieces.length === 0)
      throw new UsageError(
        `invalid --exec template: it does not end with the words of a command, where the item could be added; ${hint}`,
      )
    if (this.#setsParameters !== undefined && this.#options.spread) this.#spreadAt = this.#text.length
    this.#pieces.push(' ')
    const word = new OpenWord(this.#pieces.length)
    this.#place('{}', 'plain', word)
    this.#addWord(command, word)
    this.#endCommand(command)
  }

  #redirection(command: OpenCommand, documents: HereDocument[]): void {
    REDIRECTION.lastIndex = this.#at
    const operator = REDIRECTION.exec(this.#text)![0]
    this.#emit(operator.length)
    if (operator !== '<<' && operator !== '<<-') {
      command.redirection = operator
      return
    }
    while (' \t'.includes(this.#text[this.#at] ?? '\n')) this.#emit(1)
    const start = this.#at
    const count = this.#places.length
    const word = this.#word(command)
    this.#refuseSince(count, {
      where: 'the delimiter of a here-document',
      why: 'no shell expands it',
      instead: 'write a fixed word',
    })
    if (this.#at === start) this.#unfinished('a here-document has no delimiter')
    documents.push({ delimiter: word.text, isQuoted: word.isQuoted, stripsTabs: operator === '<<-', command })
  }

  /** Returns true if what follows is a new command. */
  #parenthesis(command: OpenCommand): boolean {
    if (command.words.length === 0 && command.redirection === undefined) {
      if (this.#text.startsWith('((', this.#at)) this.#arithmetic('((', this.#at)
      else this.#parenthesized()
      command.isCompound = true
      this.#operators++
      return false
    }
    const definition = /^\([ \t]*\)/.exec(this.#text.slice(this.#at, this.#limit))
    if (command.words.length === 1 && definition !== null) {
      this.#emit(definition[0].length)
      this.#setsParameters = 'a function'
      this.#firstWord = { text: undefined }
      command.words = []
      command.hasName = false
      this.#operators++
      return false
    }
    // `for ((…))`
    if (this.#text.startsWith('((', this.#at)) this.#arithmetic('((', this.#at)
    else this.#pattern()
    return false
  }

  #parenthesized(): void {
    this.#emit(1)
    this.#list(')')
    this.#emit(1)
  }

  /** Alternatives, qualifiers: what a shell makes of them differs. */
  #pattern(): void {
    const count = this.#places.length
    this.#parenthesized()
    this.#refuseSince(count, {
      where: 'a pattern',
      why: 'shells read it differently',
      instead: 'put the pattern into a variable',
    })
  }

  #comment(): void {
    while (this.#at < this.#limit && this.#text[this.#at] !== '\n') {
      const match = this.#text[this.#at] === '{' ? this.#match() : undefined
      if (match?.kind === 'placeholder') {
        this.#place(match.placeholder, 'comment', undefined)
        this.#at += match.length
      } else this.#emit(1)
    }
    this.#endsInComment = this.#at >= this.#text.length
  }

  #hereDocument({ delimiter, isQuoted, stripsTabs, command }: HereDocument): void {
    const start = this.#at
    let end = start
    for (;;) {
      const newline = this.#text.indexOf('\n', end)
      const lineEnd = newline === -1 || newline > this.#limit ? this.#limit : newline
      const line = this.#text.slice(end, lineEnd)
      if ((stripsTabs ? line.replace(/^\t+/, '') : line) === delimiter) break
      if (lineEnd === this.#limit) this.#unfinished(`the here-document <<${delimiter} has no end`)
      end = lineEnd + 1
    }
    const count = this.#places.length
    const limit = this.#limit
    this.#limit = end
    if (isQuoted) {
      for (; this.#at < end; this.#emit(1))
        if (this.#text[this.#at] === '{' && this.#match()?.kind === 'placeholder')
          refuse(this.#text, this.#at, {
            where: 'a here-document with a quoted delimiter',
            why: 'the shell expands nothing in it',
            instead: `write <<${delimiter} without quotes, or use --exec-stdin`,
          })
    } else {
      const word = new OpenWord(this.#pieces.length)
      while (this.#at < end) this.#doubleStep(word, false)
    }
    this.#limit = limit
    const lineEnd = this.#text.indexOf('\n', end)
    this.#emit((lineEnd === -1 || lineEnd > limit ? limit : lineEnd) - end)
    if (this.#places.length === count) return
    this.#canShow = false
    if (readsScript(command.words))
      this.#refuseSince(count, {
        where: 'a script that a shell reads from a here-document',
        why: 'that shell would read the item as syntax',
        instead: 'pass it as an argument',
      })
  }

  // ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────

  #word(command: OpenCommand): OpenWord {
    const word = new OpenWord(this.#pieces.length)
    while (this.#at < this.#limit) {
      const c = this.#text[this.#at]!
      if ((c === '<' || c === '>') && this.#text[this.#at + 1] === '(') {
        this.#emit(1)
        this.#parenthesized()
        word.isDynamic = true
        continue
      }
      if (c === '(') {
        const previous = this.#text[this.#at - 1]!
        const isArray = /^[A-Za-z_]\w*\+?=$/.test(word.text) && !word.holds && !word.isQuoted
        const isFirst = command.words.length === 0 && /^\([ \t]*\)/.test(this.#text.slice(this.#at))
        if (word.value.length === 0 || isFirst) break
        if (isArray) this.#parenthesized()
        else if ('?*+@!'.includes(previous) || word.value.length > 0) this.#pattern()
        word.isDynamic = true
        continue
      }
      if (METACHARACTERS.includes(c)) break
      this.#step(word)
    }
    return word
  }

  #step(word: OpenWord): void {
    const c = this.#text[this.#at]!
    switch (c) {
      case '\\': {
        const escaped = this.#text[this.#at + 1]
        if (escaped === undefined || this.#at + 1 >= this.#limit) this.#unfinished('it ends with a backslash')
        if (escaped !== '\n') word.add(escaped!)
        word.isQuoted = true
        return this.#emit(2)
      }
      case "'":
        return this.#single(word)
      case '"':
        return this.#double(word)
      case '`':
        return this.#backticks(word)
      case '$':
        return this.#dollar(word, false)
      case '{': {
        if (this.#tryPlace('plain', word)) return
        word.isPattern = true
        break
      }
      case '*':
      case '?':
      case '[':
      case '~':
        word.isPattern = true
    }
    word.add(c)
    this.#emit(1)
  }

  #single(word: OpenWord): void {
    const start = this.#at
    word.isQuoted = true
    if (word.value.length === 0) word.add('')
    this.#emit(1)
    while (this.#text[this.#at] !== "'") {
      if (this.#at >= this.#limit) this.#unfinished('a single quote is not closed', start)
      if (this.#text[this.#at] === '{' && this.#tryPlace('single', word)) continue
      word.add(this.#text[this.#at]!)
      this.#emit(1)
    }
    this.#emit(1)
  }

  #double(word: OpenWord): void {
    const start = this.#at
    word.isQuoted = true
    if (word.value.length === 0) word.add('')
    this.#emit(1)
    while (this.#text[this.#at] !== '"' || this.#at >= this.#limit) {
      if (this.#at >= this.#limit) this.#unfinished('a double quote is not closed', start)
      this.#doubleStep(word, true)
    }
    this.#emit(1)
  }

  /** In double quotes, or in a here-document, where a quote is a character. */
  #doubleStep(word: OpenWord, isQuoteSpecial: boolean): void {
    const c = this.#text[this.#at]!
    if (c === '\\') {
      const escaped = this.#text[this.#at + 1] ?? ''
      if (escaped === '{' && this.#matchAt(this.#at + 1)?.kind === 'placeholder') {
        // Only the shell's own characters are escaped there: this is a backslash, and must not escape what replaces the brace.
        this.#pieces.push('\\\\')
        this.#at++
        return word.add('\\')
      }
      if (this.#at + 1 >= this.#limit) {
        word.add(c)
        return this.#emit(1)
      }
      const isEscape = '$`\\\n'.includes(escaped) || (escaped === '"' && isQuoteSpecial)
      if (escaped !== '\n') word.add(isEscape ? escaped : c + escaped)
      return this.#emit(2)
    }
    if (c === '`') return this.#backticks(word)
    if (c === '$') return this.#dollar(word, true)
    if (c === '{' && this.#tryPlace('double', word)) return
    word.add(c)
    this.#emit(1)
  }

  #dollar(word: OpenWord, inDouble: boolean): void {
    const rest = this.#text.slice(this.#at, this.#at + 3)
    if (rest.startsWith('$((')) {
      this.#arithmetic('$((', this.#at)
      word.isDynamic = true
    } else if (rest.startsWith('$(')) {
      this.#emit(1)
      this.#parenthesized()
      word.isDynamic = true
    } else if (rest.startsWith('${')) {
      this.#parameter(inDouble)
      word.isDynamic = true
    } else if (rest.startsWith('$[')) {
      this.#arithmetic('$[', this.#at)
      word.isDynamic = true
    } else if (rest.startsWith("$'") && !inDouble) {
      this.#ansiQuotes(word)
    } else {
      const next = rest[1] ?? ''
      const isSpecial = /[\d@*#?$!-]/.test(next) && this.#at + 1 < this.#limit
      if (isSpecial || /[A-Za-z_]/.test(next)) word.isDynamic = true
      else if (!(next === '"' && !inDouble)) word.add('$')
      else word.isDynamic = true
      this.#emit(isSpecial ? 2 : 1)
    }
  }

  /** `$((…))`, `((…))` and `$[…]` without placeholders: a shell runs the `$(…)` of a value there. */
  #arithmetic(open: string, start: number): void {
    const [left, right] = open === '$[' ? ['[', ']'] : ['(', ')']
    let depth = 0
    let end = start
    for (; end < this.#limit; end++) {
      const c = this.#text[end]
      if (c === left) depth++
      else if (c === right && --depth === 0) break
      else if (c === '{' && this.#matchAt(end)?.kind === 'placeholder')
        refuse(this.#text, end, {
          where: 'arithmetic',
          why: 'the shell would evaluate the item as an expression',
          instead: 'leave the arithmetic to a program, such as expr or awk',
        })
    }
    if (end >= this.#limit) this.#unfinished(`${open} is not closed`, start)
    this.#emit(end + 1 - this.#at)
  }

  /** `${…}`: what a value means in it depends on the operator and on the shell. */
  #parameter(inDouble: boolean): void {
    const start = this.#at
    const near = this.#matchAt(start + 1)
    if (near?.kind === 'near-miss') refuseNearMiss(near.text, near.hint)
    let depth = 0
    let end = start
    for (; end < this.#limit; end++) {
      const c = this.#text[end]
      if (c === '\\') end++
      else if (c === '$' && this.#text[end + 1] === '{') {
        depth++
        end++
      } else if (c === '}') {
        if (--depth === 0) break
      } else if (c === "'" && !inDouble && this.#text.indexOf("'", end + 1) > 0) {
        end = this.#text.indexOf("'", end + 1)
      } else if (c === '{' && this.#matchAt(end)?.kind === 'placeholder')
        refuse(this.#text, end, {
          where: '${…}',
          why: 'its meaning there depends on the shell',
          instead: 'assign it to a variable before: x={}; …',
        })
    }
    if (end >= this.#limit) this.#unfinished('${ is not closed', start)
    if (
      /(?<!\\)['"`]/.test(this.#text.slice(start, end)) &&
      /\{[./#%]*\}|\{item\./.test(this.#text.slice(start, end))
    )
      refuse(this.#text, start, {
        where: '${…}',
        why: 'its meaning there depends on the shell',
        instead: 'assign it to a variable before: x={}; …',
      })
    this.#emit(end + 1 - start)
  }

  #ansiQuotes(word: OpenWord): void {
    const start = this.#at
    const known = WITH_FALLBACK_QUOTES.test(this.#options.shell)
    let end = start + 2
    for (; end < this.#limit && this.#text[end] !== "'"; end++) {
      if (this.#text[end] === '\\') {
        if (this.#text[end + 1] === "'" && !known)
          throw new UsageError(
            `invalid --exec template: shells read \\' in $'…' differently; use "…", or --shell bash`,
          )
        end++
      } else if (this.#text[end] === '{' && this.#matchAt(end)?.kind === 'placeholder')
        refuse(this.#text, end, {
          where: "$'…'",
          why: 'not every shell has these quotes',
          instead: `write '…' or "…"`,
        })
    }
    if (end >= this.#limit) this.#unfinished('a single quote is not closed', start)
    word.isDynamic = true
    word.isQuoted = true
    this.#emit(end + 1 - start)
  }

  #backticks(word: OpenWord): void {
    const start = this.#at
    word.isDynamic = true
    let end = start + 1
    let hasBackslash = false
    for (; end < this.#limit && this.#text[end] !== '`'; end++)
      if (this.#text[end] === '\\') {
        hasBackslash = true
        end++
      }
    if (end >= this.#limit) this.#unfinished('a backtick is not closed', start)
    const count = this.#places.length
    this.#emit(1)
    if (hasBackslash) {
      for (; this.#at < end; this.#emit(1))
        if (this.#text[this.#at] === '{' && this.#match()?.kind === 'placeholder')
          refuse(this.#text, this.#at, {
            where: 'backticks with a backslash',
            why: 'how often it escapes depends on what is around',
            instead: 'write $(…)',
          })
    } else {
      const limit = this.#limit
      this.#limit = end
      this.#endCommand(this.#list('end'))
      this.#limit = limit
      this.#endsInComment = false
    }
    if (this.#places.length > count) this.#canShow = false
    this.#emit(1)
  }

  // ── placeholders ─────────────────────────────────────────────────────────────────────────────────────────────────

  #matchAt(at: number) {
    const match = at < this.#limit ? matchAt(this.#text, at) : undefined
    return match
  }

  #match() {
    const match = this.#matchAt(this.#at)
    if (match?.kind === 'near-miss') refuseNearMiss(match.text, match.hint)
    return match
  }

  /** True if there is one here, or `{{}}`. */
  #tryPlace(quoting: Quoting, word: OpenWord): boolean {
    const match = this.#match()
    if (match?.kind === 'literal') {
      this.#pieces.push('{}')
      word.add('{}')
      this.#at += match.length
      return true
    }
    if (match?.kind !== 'placeholder') return false
    const { placeholder, length } = match
    if (this.#options.spread && !/^\{[#%]\}$/.test(placeholder))
      this.#checkSpread(placeholder, quoting, word, length)
    this.#place(placeholder, quoting, word)
    this.#at += length
    return true
  }

  #checkSpread(placeholder: Placeholder, quoting: Quoting, word: OpenWord, length: number): void {
    const instead = 'write {} as a word of its own'
    if (placeholder !== '{}')
      refuse(this.#text, this.#at, {
        where: 'a command for several items',
        why: 'only {} stands for all of them',
        instead: instead,
      })
    const next = this.#text[this.#at + length] ?? ' '
    const isAlone =
      word.value.length === 0 && !word.isQuoted && !word.isDynamic && this.#pieces.length === word.startPiece
    if (
      quoting !== 'plain' ||
      !isAlone ||
      (this.#at + length < this.#limit && !METACHARACTERS.includes(next))
    )
      refuse(this.#text, this.#at, {
        where: quoting === 'plain' ? 'a longer word' : 'quotes',
        why: 'it stands for several words',
        instead: instead,
      })
    this.#spreadAt = this.#at
  }

  #place(placeholder: Placeholder, quoting: Quoting, word: OpenWord | undefined): void {
    let number = this.#placeholders.indexOf(placeholder) + 1
    if (number === 0) number = this.#placeholders.push(placeholder)
    const spreads = this.#options.spread && placeholder === '{}'
    const place = { placeholder, number, quoting, spreads }
    this.#pieces.push(place)
    this.#places.push(this.#at)
    if (word === undefined) return
    word.add(place)
    word.holds = true
    word.spreads ||= spreads
  }

  /** Of a word that is fixed but for its placeholders, the value is known. */
  #close(word: OpenWord, isName: boolean): void {
    if (!word.holds || word.isDynamic || word.isPattern) return
    const raw = this.#pieces.splice(word.startPiece)
    this.#pieces.push({ raw, value: word.value, isName })
  }

  /** Refuses the first placeholder after so many others, if there is one. */
  #refuseSince(count: number, refusal: Refusal): void {
    const at = this.#places[count]
    if (at !== undefined) refuse(this.#text, at, refusal)
  }

  #unfinished(what: string, at?: number): never {
    const location = at === undefined ? '' : ` (character ${at + 1})`
    throw new UsageError(`invalid --exec template: ${what}${location}`)
  }

  #emit(length: number): void {
    this.#pieces.push(this.#text.slice(this.#at, this.#at + length))
    this.#at += length
  }
}
