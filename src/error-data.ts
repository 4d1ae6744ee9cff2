// What a job threw, as plain data that crosses a process boundary whole: made in the worker (`errors/capture`), turned
// back into an error or into text in the parent (`errors/rebuild`, `errors/render`). Types only.

export type ErrorData =
  | {
      /** An Error of any realm. */
      readonly type: 'error'
      readonly name: string
      readonly message: string
      /** Frames as V8 wrote them, one a line, `    at …`, without the header line(s); positions of the compiled module. */
      readonly frames: string
      /** Nearest built-in class: `TypeError`, `AggregateError`, `DOMException`…, `Error` where none is nearer. */
      readonly builtin: string
      /** Own properties but name, message, stack, cause, errors; values that cannot be cloned are previews. */
      readonly props: Readonly<Record<string, unknown>>
      readonly cause?: ErrorData
      readonly errors?: readonly ErrorData[]
    }
  | {
      /** Something thrown, or a cause, that is no Error. */
      readonly type: 'thrown'
      /** `string`, `null`, `undefined`, `number`, `object`… as a person names it. */
      readonly typeName: string
      /** As `util.inspect` shows it, shortened. */
      readonly preview: string
      /** The value itself, where it can be cloned. */
      readonly value?: unknown
      readonly cloned: boolean
      /** Stands for what was left out (a cycle, the rest of a long chain); `preview` says so. */
      readonly omitted?: boolean
    }
