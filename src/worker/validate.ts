// The job's `input`: a Standard Schema (zod, valibot, arktype …) that each item must fit before its task sees it.
// Uses the interface's one method, whatever the library behind it: https://standardschema.dev
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { pathText } from '../errors/capture/find-unserializable.js'
import type { Failure } from '../model.js'

type Validation = Extract<Failure, { readonly kind: 'validation' }>

/** What a task receives in place of its item, or why it receives nothing. Throws what the schema throws. */
export type Validate = (item: unknown) => Checked | PromiseLike<Checked>
export type Checked = { readonly item: unknown } | { readonly refused: Validation }

/**
 * `undefined` where `input` is something else: a task of that name, a constant.
 * @throws TypeError for an object that is not a schema
 */
export function validatorOf(input: unknown): Validate | undefined {
  const schema = (input as Partial<StandardSchemaV1> | null | undefined)?.['~standard']
  if (typeof schema?.validate === 'function') {
    return (item) => {
      const result = schema.validate(item)
      return 'then' in result ? result.then(checked) : checked(result)
    }
  }
  if (typeof input !== 'object' || input === null) return undefined
  throw new TypeError(
    "the job exports 'input', which is not a Standard Schema (zod 3.24, valibot 1, arktype 2 or newer)",
  )
}

function checked(result: StandardSchemaV1.Result<unknown>): Checked {
  if (result.issues === undefined) return { item: result.value }
  const issues = result.issues.map(({ message, path = [] }) => ({
    message: String(message),
    path: pathText(path.map((part) => (typeof part === 'object' ? part.key : part))),
  }))
  return { refused: { kind: 'validation', issues } }
}
