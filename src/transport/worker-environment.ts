// The environment of worker processes.

/** A variable that is `undefined` is not set. */
export type WorkerEnv = Readonly<Record<string, string | undefined>>

/** With a value (`--inspect=0`) or without. */
const INSPECTOR =
  /^--?(?:inspect|inspect-brk|inspect-wait|inspect-port|debug-port|inspect-publish-uid)(?:=|$)/
/** Their value may be the next word. */
const TAKES_VALUE = /^--?(?:inspect-port|debug-port|inspect-publish-uid)$/
/** A word may contain parts in quotes. */
const WORD = /(?:"(?:\\.|[^"\\])*"|[^\s"])+/g

/** `extra` is what the user wants for workers; it wins, and is passed on as it is. */
export function workerEnvironment(own: WorkerEnv, extra: WorkerEnv | undefined, workerId: number): WorkerEnv {
  const { NODE_OPTIONS } = own
  const inherited = NODE_OPTIONS && { NODE_OPTIONS: withoutInspector(NODE_OPTIONS) }
  const env = { ...own, ...inherited, ...extra, POOLRUN_WORKER_ID: String(workerId) }
  // With it, `node --watch` asks the process that it starts to report what it loads, but nobody listens to a worker. Where `extra`
  // has it, that is a copy of our own environment.
  return { ...env, WATCH_REPORT_DEPENDENCIES: undefined }
}

/** A debugger of this process listens on one port, which is in use when a worker starts. */
export function withoutInspector(nodeOptions: string): string {
  const words = nodeOptions.match(WORD) ?? []
  const kept = words.filter((word, i) => !INSPECTOR.test(word) && !TAKES_VALUE.test(words[i - 1] ?? ''))
  return kept.length === words.length ? nodeOptions : kept.join(' ')
}
