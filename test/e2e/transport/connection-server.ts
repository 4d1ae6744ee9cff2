// A server that test processes connect to, whoever started them. The end of the connection is the end of the process.
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { tempSpace } from '../../helpers/temp-space.js'

export interface TestProcess {
  readonly pid: number
  /** Resolves when the process has exited, even if it never returned to its event loop. */
  readonly exited: Promise<unknown>
  /** Resolves when the process has replied. */
  replies(): Promise<unknown>
}

export async function listen() {
  const path = tempSpace().path('socket')
  const waiting = new Map<string, (connected: TestProcess) => void>()
  const connections = new Map<string, Promise<TestProcess>>()
  const pids: number[] = []
  const connected = (name: string) => {
    const connection =
      connections.get(name) ?? new Promise<TestProcess>((resolve) => waiting.set(name, resolve))
    connections.set(name, connection)
    return connection
  }
  const register = async (socket: Socket) => {
    socket.on('error', () => {})
    const exited = once(socket, 'close')
    const [line] = await once(socket, 'data')
    const [name, pid] = String(line).trim().split(' ')
    pids.push(Number(pid))
    const replies = () => {
      socket.write('?')
      return once(socket, 'data')
    }
    void connected(name!)
    waiting.get(name!)?.({ pid: Number(pid), exited, replies })
  }
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    void register(socket)
  })
  await once(server.listen(path), 'listening')
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    for (const pid of pids)
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // It has exited, as it should.
      }
  })
  return { env: { TEST_SOCKET: path }, connected }
}
