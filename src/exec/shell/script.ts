// Gives each word its role in its command, and notes what the commands say about the script as a whole.
import type { Cursor } from './cursor.js'
import { OpenWord } from './open-word.js'
import { invalidTemplate } from './refusal.js'
import { findRefusal } from './unsafe-commands.js'
import { isAssignment, type Word } from './words.js'

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

/** A command while it is read. */
export class OpenCommand {
  words: Word[] = []
  readonly redirects: { operator: string; word: Word }[] = []
  /** It ends a compound command: only redirections may follow. */
  isCompound = false
  /** The operator whose target is the next word. */
  redirection: string | undefined
  /** The next word is the name of a function. */
  isDefinition = false
  hasName = false
  /** Placeholders before it. */
  readonly placesBefore: number

  constructor(placesBefore: number) {
    this.placesBefore = placesBefore
  }
}

export class Script {
  readonly shell: string
  /** What in it changes the parameters of the script. */
  setsParameters: string | undefined
  hasOperators = false
  endsInComment = false
  readonly #cursor: Cursor
  #commands = 0
  #firstWord: { readonly text: string | undefined } | undefined

  constructor(cursor: Cursor, shell: string) {
    this.#cursor = cursor
    this.shell = shell
  }

  /** The word that names the first command, where it is fixed. */
  get firstWord(): string | undefined {
    return this.#firstWord?.text
  }

  /** One command without operators. */
  get isSimple(): boolean {
    return this.#commands === 1 && !this.hasOperators
  }

  openCommand(): OpenCommand {
    return new OpenCommand(this.#cursor.placeCount)
  }

  /** The next word of a command. */
  add(command: OpenCommand, word: OpenWord): void {
    if (command.redirection !== undefined) return this.#addTarget(command, command.redirection, word)
    if (command.isDefinition) {
      command.isDefinition = false
      return
    }
    if (command.words.length === 0 && this.#isKeyword(command, word.keyword)) return
    const closed = word.close()
    command.words.push(closed)
    if (command.hasName) return this.#join(word, false)
    // It stays as it is written: quoted as a whole, it would be no assignment.
    if (isAssignment(closed)) return
    command.hasName = true
    this.#noteName(word)
    this.#join(word, true)
  }

  #addTarget(command: OpenCommand, operator: string, word: OpenWord): void {
    const target = word.close()
    if (target.spreads)
      this.#cursor.refuseSince(this.#cursor.placeCount - 1, {
        where: 'the target of a redirection',
        why: 'it is one file',
        instead: 'name one file',
      })
    command.redirects.push({ operator, word: target })
    command.redirection = undefined
    this.#join(word, false)
  }

  /** Whether the first word of a command is a keyword of the shell. */
  #isKeyword(command: OpenCommand, text: string): boolean {
    if (BEFORE_COMMAND.has(text)) {
      if (text !== '!' && text !== 'time') this.hasOperators = true
    } else if (AFTER_COMPOUND.has(text)) {
      this.endCompound(command)
    } else if (text === 'function') {
      this.setsParameters = 'a function'
      command.isDefinition = true
    } else return false
    return true
  }

  #noteName(word: OpenWord): void {
    this.#firstWord ??= { text: word.isFixed && !word.holds ? word.text : undefined }
    const text = word.keyword
    if (text === 'set' || text === 'shift') this.setsParameters = text
    if (text === '.' || text === 'source') this.setsParameters = `${text}, which may contain set`
  }

  /** The meaning of a fixed word is known, but for its placeholders: it can be shown as a whole. */
  #join(word: OpenWord, isName: boolean): void {
    if (word.holds && word.isFixed) this.#cursor.join(word, isName)
  }

  /** After `fi`, `}`, `)` and the like. */
  endCompound(command: OpenCommand): void {
    command.isCompound = true
    this.hasOperators = true
  }

  /** After `name()`. */
  beginFunction(command: OpenCommand): void {
    command.words = []
    command.hasName = false
    this.setsParameters = 'a function'
    this.#firstWord = { text: undefined }
    this.hasOperators = true
  }

  endCommand(command: OpenCommand): void {
    if (command.redirection !== undefined && this.#cursor.isAtEnd)
      invalidTemplate('a redirection has no file')
    if (command.words.length === 0) return
    this.#commands++
    const isPosix = /^(?:sh|dash|ash|bash)$/.test(this.shell)
    const refusal = findRefusal(command, isPosix)
    if (refusal !== undefined) this.#cursor.refuseSince(command.placesBefore, refusal)
  }

  /** The item as the last word of the last command. */
  append(command: OpenCommand): void {
    const cursor = this.#cursor
    const hint = 'write {} where the item goes, or give it on stdin with --exec-stdin'
    if (this.endsInComment) invalidTemplate(`it ends in a comment, where no item can be added; ${hint}`)
    if (!command.hasName || command.isCompound)
      invalidTemplate(`it does not end with the words of a command, where the item could be added; ${hint}`)
    cursor.put(' ', 0)
    const word = new OpenWord(cursor.pieces.length)
    word.addPlace(cursor.place('{}', 'plain', 0))
    this.add(command, word)
    this.endCommand(command)
  }
}
