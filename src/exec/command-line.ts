// The command of one item: its values, or why it has none.
import type { Failure } from '../model.js'
import type { CommandPlan } from '../plan.js'
import { type CommandFacts, placeholderValue, textOf } from './placeholders.js'
import { quoteWord } from './quote.js'
import { parseTemplate, type Template, type Values } from './template.js'

/** Linux passes on no longer argument, its final NUL included; other systems limit all of them together. */
export const MAX_ARGUMENT_BYTES = 128 * 1024

/** @throws UsageError */
export function templateOf({ template, shell, spread, stdin }: CommandPlan): Template {
  return parseTemplate({ text: template, shell, spread, append: !stdin })
}

/** An item that is a list, as its elements. */
function elementsOf(item: unknown): readonly unknown[] {
  return Array.isArray(item) ? item : [item]
}

export function valuesFor(
  { placeholders }: Template,
  spread: boolean,
  facts: CommandFacts,
): Values | { readonly failure: Failure } {
  const values: string[] = []
  const issues: { message: string; path: string }[] = []
  const items = spread && placeholders.includes('{}') ? elementsOf(facts.item).map(textOf) : []
  for (const placeholder of placeholders) {
    if (spread && placeholder === '{}') {
      values.push('')
      continue
    }
    const value = placeholderValue(placeholder, facts)
    if ('missing' in value) issues.push({ message: value.missing, path: '' })
    else values.push(value.text)
  }
  if (issues.length > 0) return { failure: { kind: 'validation', issues } }
  for (const text of [...values, ...items]) {
    const message = whyNoArgument(text)
    if (message !== undefined) return { failure: unsendable('argument', message) }
  }
  return { values, items }
}

export function unsendable(side: 'argument' | 'result', message: string): Failure {
  return { kind: 'encoding', side, path: '', message, preview: '' }
}

/** `undefined` if the system can pass on the text as an argument. */
export function whyNoArgument(text: string): string | undefined {
  if (text.includes('\0')) return 'no argument of a command can hold a NUL; --exec-stdin can'
  if (/\p{Surrogate}/u.test(text)) return 'it holds half of a surrogate pair, which UTF-8 cannot carry'
  if (text.length * 3 < MAX_ARGUMENT_BYTES) return undefined
  const bytes = Buffer.byteLength(text)
  return bytes < MAX_ARGUMENT_BYTES ? undefined : tooLong(bytes, false)
}

/** Without `bytes`, all arguments together are, of which `items` may be many. */
export function tooLong(bytes: number | undefined, items: boolean): string {
  if (bytes !== undefined)
    return `it is too long for an argument of a command (${bytes.toLocaleString('en')} bytes); use --exec-stdin`
  return items
    ? 'together its items are too long for the arguments of a command; use a smaller --batch, or --exec-stdin'
    : 'it is too long for the arguments of a command; use --exec-stdin'
}

/** What `--exec-stdin` gives the command. */
export function stdinOf(item: unknown): string {
  return typeof item === 'string' ? item : `${textOf(item)}\n`
}

const VARIABLES = /\bPOOLRUN_(?:ITEM|INDEX|ATTEMPT|SLOT)\b/

/** The command as a line for a shell: run by `sh`, it does what it would do in a run. */
export function dryRunLine(plan: CommandPlan, template: Template, facts: CommandFacts): string {
  const values = valuesFor(template, plan.spread, facts)
  if ('failure' in values) return `# item ${facts.index} would fail`
  let line = template.showApart(values)
  if (VARIABLES.test(plan.template)) {
    const { item, index, slot } = facts
    line = `(export POOLRUN_ITEM=${quoteWord(textOf(item))} POOLRUN_INDEX=${index} POOLRUN_ATTEMPT=1 POOLRUN_SLOT=${slot}\n${template.show(values)}\n)`
  }
  return plan.stdin ? `printf %s ${quoteWord(stdinOf(facts.item))} | ${asOneCommand(line, template)}` : line
}

function asOneCommand(line: string, template: Template): string {
  return line.startsWith('(') || template.isSimple ? line : `(${line}\n)`
}
