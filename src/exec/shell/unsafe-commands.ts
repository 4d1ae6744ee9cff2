// Commands in which an item would become syntax although it is quoted: the program or builtin that gets it as a word reads
// the word as a script, an expression or a name. Such templates are refused.
import type { Refusal } from './refusal.js'
import { isAssignment, type Word } from './words.js'

export interface SimpleCommand {
  readonly words: readonly Word[]
  /** Targets of redirections. */
  readonly redirects: readonly { readonly operator: string; readonly word: Word }[]
}

const SHELLS = /^(?:r?bash|sh|dash|ash|r?zsh|r?ksh\d*|mksh|pdksh|yash|fish|t?csh|busybox)$/
/** They run the value of their option -c by a shell. */
const WITH_SCRIPT = /^(?:su|runuser|script|flock|sg|pkexec)$/
/** They join their words to a script for a shell. */
const JOINS = /^(?:eval|watch|parallel|fc)$/
const REMOTE = /^(?:ssh|rsh|slogin|dbclient)$/
/** Their arguments are names, conditions or code. */
const NAMES =
  /^(?:let|trap|alias|read|unset|getopts|mapfile|readarray|bind|complete|compgen|vared|zstyle|zmodload|autoload|functions|disown|hash|sched|zle|compdef|coproc)$/
const DECLARES = /^(?:declare|typeset|local|export|readonly|integer|float|private)$/
const PREFIXES = /^(?:command|builtin|exec|noglob|nocorrect|-|time|!)$/
const ARITHMETIC = /^-(?:eq|ne|lt|le|gt|ge)$/
/** An element of an array: its index is an expression. */
const ELEMENT = /^(?:[A-Za-z_]\w*)?\[[^\]]*$/
const SSH_WITH_VALUE = /^-[BbcDEeFIiJLlmOopQRSWw]$/

/** `undefined` if nothing in the command can turn an item into syntax. `isPosix`: its `[` evaluates no expressions. */
export function findRefusal(command: SimpleCommand, isPosix: boolean): Refusal | undefined {
  const words = command.words
  const first = words.findIndex((word) => !isAssignment(word))
  const element = words
    .slice(0, first === -1 ? words.length : first + 1)
    .find(({ prefix, holds }) => holds && ELEMENT.test(prefix))
  if (element !== undefined)
    return {
      where: 'an index of an array',
      why: 'the shell evaluates it as an expression',
      instead: 'use a variable that the script has checked',
    }
  if (first === -1) return undefined
  let at = first
  while (
    at < words.length - 1 &&
    (PREFIXES.test(words[at]!.text) || (at > first && /^-[pv-]*$/.test(words[at]!.text))) &&
    !words[at]!.holds
  )
    at++
  const name = words[at]!
  const args = words.slice(at + 1)
  const holding = args.filter(({ holds }) => holds)
  if (name.holds) {
    if (name.spreads || holding.length > 0)
      return {
        where: 'the name of the command and in its arguments',
        why: 'an item such as eval would run the rest as a script',
        instead: `start it by another program: env -- ${name.spreads ? '{}' : '… …'}`,
      }
    return undefined
  }
  return holding.length > 0 || command.redirects.some(({ word }) => word.holds)
    ? (ofShells(words, command) ?? ofBuiltin(name.text, args, isPosix))
    : undefined
}

/** Whether the command reads a script from its stdin. */
export function readsScript(words: readonly Word[]): boolean {
  const shell = words.findIndex(({ text }) => SHELLS.test(baseOf(text)))
  if (shell !== -1)
    return (
      words.slice(shell + 1).every(({ text }) => /^[-+]/.test(text)) ||
      words.slice(shell + 1).some(({ text }) => text === '-s')
    )
  const remote = words.findIndex(({ text }) => REMOTE.test(baseOf(text)))
  return remote !== -1 && remoteWords(words.slice(remote + 1)).length === 0
}

function baseOf(text: string): string {
  return text.slice(text.lastIndexOf('/') + 1)
}

function ofShells(words: readonly Word[], command: SimpleCommand): Refusal | undefined {
  for (const [i, { text, holds }] of words.entries()) {
    if (holds) continue
    const base = baseOf(text)
    const rest = words.slice(i + 1)
    if ((SHELLS.test(base) || WITH_SCRIPT.test(base)) && scriptOf(rest)?.holds)
      return {
        where: `the script of ${base} -c`,
        why: `${base} would read the item as syntax`,
        instead: `pass it as an argument: ${base === 'busybox' ? 'sh' : base} -c '… "$1"' _ {}`,
      }
    if (JOINS.test(base) && i < words.length && rest.some((word) => word.holds) && isCommandName(words, i))
      return {
        where: `the arguments of ${base}`,
        why: `${base} reads them as a script`,
        instead: `leave ${base} out`,
      }
    if (REMOTE.test(base) && remoteWords(rest).some((word) => word.holds))
      return {
        where: `the remote command of ${base}`,
        why: 'the shell on the other machine would read the item as syntax',
        instead: `send it to the command's stdin with --exec-stdin, or with printf in a pipe`,
      }
  }
  const script = command.redirects.find(({ operator, word }) => operator === '<<<' && word.holds)
  if (script !== undefined && readsScript(words))
    return {
      where: 'a script',
      why: 'the shell that reads it would take the item as syntax',
      instead: 'pass it as an argument',
    }
  return undefined
}

/** `grep watch {}` is not a call of watch. */
function isCommandName(words: readonly Word[], i: number): boolean {
  return words
    .slice(0, i)
    .every(
      (word) =>
        isAssignment(word) ||
        PREFIXES.test(word.text) ||
        /^-/.test(word.text) ||
        /^(?:env|nice|nohup|sudo|timeout|doas|setsid|stdbuf)$|^\d/.test(baseOf(word.text)),
    )
}

/** The first word after the option -c that is not an option; `undefined` without that option. */
function scriptOf(rest: readonly Word[]): Word | undefined {
  const option = rest.findIndex(
    ({ text }) => /^[-+][A-Za-z]*c[A-Za-z]*$/.test(text) || /^--(?:session-)?command$/.test(text),
  )
  if (option === -1)
    return rest.find(({ prefix, holds }) => holds && /^--(?:session-)?command=|^-c./.test(prefix))
  return rest.slice(option + 1).find(({ text, holds }) => holds || !/^[-+]/.test(text))
}

function remoteWords(rest: readonly Word[]): readonly Word[] {
  let at = 0
  while (at < rest.length && /^-/.test(rest[at]!.prefix)) at += SSH_WITH_VALUE.test(rest[at]!.text) ? 2 : 1
  return rest.slice(at + 1)
}

function ofBuiltin(name: string, args: readonly Word[], isPosix: boolean): Refusal | undefined {
  const holding = args.filter(({ holds }) => holds)
  if (holding.length === 0) return undefined
  const refused = (why: string, instead = 'assign it to a variable and check it first'): Refusal => ({
    where: `the arguments of ${name}`,
    why,
    instead,
  })
  if (NAMES.test(name)) return refused(`${name} reads them as names or code`)
  if (DECLARES.test(name)) {
    if (name === 'integer' || name === 'float' || args.some(({ text }) => /^-\w*[inE]/.test(text)))
      return refused('the shell evaluates them as expressions')
    if (holding.some((word) => !isAssignment(word)))
      return refused('it would be a name', `write ${name} name={}`)
  }
  if (name === 'printf' && args[0]?.text.startsWith('-v') && (args[0].holds || args[1]?.holds))
    return refused('it would be the name of a variable', 'write a name')
  if (name === 'test' || name === '[' || name === '[[') {
    const evaluates = name === '[[' || !isPosix
    if (args.some(({ text }) => text === '-v' || text === '-R' || (evaluates && ARITHMETIC.test(text))))
      return refused(
        'the shell evaluates it as an expression',
        evaluates ? 'compare with [ of sh: sh -c \'[ "$1" -gt 0 ]\' _ {}' : 'use another test',
      )
  }
  return undefined
}
