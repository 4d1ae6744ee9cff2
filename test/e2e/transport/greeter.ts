// A place where processes say hello, whoever started them: the end of their connection is the end of the process.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { tempSpace } from '../../helpers/temp-space.js'

export interface Guest {
  readonly pid: number
  /** Resolves when the process has ended, which its blocked loop cannot hide. */
  readonly gone: Promise<unknown>
  /** Resolves when the process has answered. */
  answers(): Promise<unknown>
}

export async function listen() {
  const path = tempSpace().path('socket')
  const guests = new Map<string, (guest: Guest) => void>()
  const calls = new Map<string, Promise<Guest>>()
  const pids: number[] = []
  const called = (name: string) => {
    const call = calls.get(name) ?? new Promise<Guest>((resolve) => guests.set(name, resolve))
    calls.set(name, call)
    return call
  }
  const greet = async (socket: Socket) => {
    socket.on('error', () => {})
    const gone = once(socket, 'close')
    const [hello] = await once(socket, 'data')
    const [name, pid] = String(hello).trim().split(' ')
    pids.push(Number(pid))
    const answers = () => {
      socket.write('?')
      return once(socket, 'data')
    }
    void called(name!)
    guests.get(name!)?.({ pid: Number(pid), gone, answers })
  }
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    void greet(socket)
  })
  await once(server.listen(path), 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It is gone, as it should be.
      }
  })
  return { env: { TEST_SOCKET: path }, called }
}
