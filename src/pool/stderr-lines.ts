// What the jobs of all pools print, on the stderr of this process. While its reader is behind, the workers wait.
import type { Executor } from '../executor/executor.js'
import { TextOutput } from '../write/text-output.js'

type Printing = Pick<Executor, 'readOutput'>

const printing = new Set<Printing>()
let isBehind = false
let output: TextOutput | undefined

/** From now on the executor's workers wait with the others. */
export function joinStderr(executor: Printing): void {
  printing.add(executor)
  if (isBehind) executor.readOutput(false)
}

export function leaveStderr(executor: Printing): void {
  printing.delete(executor)
}

/** One line or several, without the last line end. */
export function writeToStderr(lines: string): void {
  output ??= new TextOutput(process.stderr, (behind) => {
    isBehind = behind
    for (const executor of printing) executor.readOutput(!behind)
  })
  output.write(`${lines}\n`)
}
