// What an item of the chaos job can order. Types only: the job, the scenarios and the check share them.

export interface Order {
  /** Its own index. */
  readonly i: number
  readonly do:
    | 'value'
    | 'sleep'
    | 'big'
    | 'print'
    | 'throw'
    | 'reject'
    | 'bigint'
    | 'flaky'
    | 'exit'
    | 'exit-later'
    | 'kill'
    | 'vanish'
    | 'abort'
    | 'escape'
    | 'hang'
    | 'hang-politely'
    | 'busy'
    /** Its text is not JSON. */
    | 'malformed'
  /** How long the item takes. */
  readonly ms?: number
  /** Length of its result. */
  readonly size?: number
}
