// What is done with workers, in lines for `--debug`: how much each is given, who is told to leave. Chunks are many: a
// line only where they have grown a good deal. Knows no stream and no clock.
import type { Command } from '../executor/scheduler/messages.js'

/** For the executor; `write` takes a line without its end. */
export function traceCommands(write: (line: string) => void): (command: Command) => void {
  /** The largest chunk of each worker. */
  const sizes = new Map<number, number>()
  return (command) => {
    switch (command.type) {
      case 'run': {
        const { worker, chunk } = command
        const { count, attempt, index } = chunk
        const first = typeof index === 'number' ? index : index[0]
        if (attempt > 1) return write(`worker ${worker}: item ${first}, attempt ${attempt}`)
        const before = sizes.get(worker)
        if (before !== undefined && count < before * 2) return
        sizes.set(worker, count)
        return write(`worker ${worker}: ${plural(count, 'item')} at a time, from item ${first} on`)
      }
      case 'cancel':
        return write(`worker ${command.worker}: told to cancel ${plural(command.ids.length, 'chunk')}`)
      case 'drain':
        return write(`worker ${command.worker}: told to give back what has not begun`)
      case 'stop':
        return write(`worker ${command.worker}: told to finish`)
      case 'terminate':
        return write(`worker ${command.worker}: told to leave`)
      case 'kill':
        return write(`worker ${command.worker}: sent ${command.signal}`)
      case 'spawn':
      case 'pull':
      case 'inspect':
      case 'settle':
      case 'end':
      case 'warn':
      case 'closed':
        return
      default:
        command satisfies never
    }
  }
}

function plural(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
