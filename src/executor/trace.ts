// `--debug`: what the scheduler does with workers, as lines of text. Chunks are too many for one line each: only those
// that are twice as large as the worker's largest one so far get a line.
import { plural } from '../errors/messages.js'
import type { Command } from './scheduler/messages.js'

/** `write` takes one line, without its line end. */
export function traceCommands(write: (line: string) => void): (command: Command) => void {
  /** Largest chunk so far, by worker. */
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
        return write(`worker ${command.worker}: cancelling ${plural(command.ids.length, 'chunk')}`)
      case 'expire':
        return write(`worker ${command.worker}: an item has exceeded its time`)
      case 'return':
        return write(`worker ${command.worker}: taking back what has not started`)
      case 'stop':
        return write(`worker ${command.worker}: stopping`)
      case 'terminate':
        return write(`worker ${command.worker}: terminating`)
      case 'kill':
        return write(`worker ${command.worker}: sent ${command.signal}`)
      case 'spawn':
      case 'pull':
      case 'inspect':
      case 'ping':
      case 'settle':
      case 'held':
      case 'cancelled':
      case 'end':
      case 'warn':
      case 'closed':
        return
      default:
        command satisfies never
    }
  }
}
