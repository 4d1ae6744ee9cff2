// What an item of the chaos job can ask for. Types only: the job, the scenarios and the check share them.

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
    /** Its text is no JSON. */
    | 'malformed'
  /** How long it takes. */
  readonly ms?: number
  /** Of its result. */
  readonly size?: number
}
