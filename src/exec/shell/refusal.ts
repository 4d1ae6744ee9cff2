// How a template is refused; because of a placeholder: where it stands, why it cannot stand there, and what to write.
import { UsageError } from '../../errors/classes.js'
import { matchAt } from '../placeholders.js'

export interface Refusal {
  readonly where: string
  readonly why: string
  readonly instead: string
}

/** @throws UsageError */
export function refuse(text: string, at: number, { where, why, instead }: Refusal): never {
  const match = matchAt(text, at)
  const placeholder = match?.kind === 'placeholder' ? match.placeholder : '{}'
  const line = text.slice(0, at).split('\n').length
  const column = at - text.lastIndexOf('\n', at - 1)
  const location = line === 1 ? `at character ${column}` : `at line ${line}, character ${column}`
  invalidTemplate(`${placeholder} ${location} stands in ${where}: ${why}; ${instead}`)
}

/** @throws UsageError */
export function refuseNearMiss(text: string, hint: string): never {
  invalidTemplate(`${text} is not a placeholder; ${hint}`)
}

/** @throws UsageError */
export function invalidTemplate(what: string): never {
  throw new UsageError(`invalid --exec template: ${what}`)
}
