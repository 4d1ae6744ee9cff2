// What a job threw, as plain data that crosses a process boundary: captured in the worker (`errors/capture`), rebuilt as an
// error or rendered as text in the parent (`errors/rebuild`, `errors/render`). Types only.

export type ErrorData =
  | {
      /** An Error, also of another realm. */
      readonly type: 'error'
      readonly name: string
      readonly message: string
      /** Frames as V8 wrote them, one per line, `    at …`, without the header; with locations of the compiled module. */
      readonly frames: string
      /** Nearest built-in class: `TypeError`, `AggregateError`, `DOMException`…, `Error` if there is no nearer one. */
      readonly builtin: string
      /** Own properties except name, message, stack, cause and errors; values that cannot be cloned are previews. */
      readonly props: Readonly<Record<string, unknown>>
      readonly cause?: ErrorData
      readonly errors?: readonly ErrorData[]
    }
  | {
      /** A thrown value, or a cause, that is not an Error. */
      readonly type: 'thrown'
      /** `string`, `null`, `undefined`, `number`, `object`… as in a message. */
      readonly typeName: string
      /** The value as `util.inspect` shows it, truncated. */
      readonly preview: string
      /** The value itself, if it can be cloned. */
      readonly value?: unknown
      readonly cloned: boolean
      /** Set for a placeholder of omitted errors (a cycle, the rest of a long chain); `preview` is the note. */
      readonly omitted?: boolean
    }
