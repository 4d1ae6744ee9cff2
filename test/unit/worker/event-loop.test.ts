// A turn of the event loop, from wherever it is asked for.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../src/clock.js'
import { EventLoop } from '../../../src/worker/event-loop.js'
import { tempSpace } from '../../helpers/temp-space.js'

it('receives what has arrived, also where it is asked for while a message is handled', async () => {
  const server = createServer().listen(tempSpace().path('socket'))
  await once(server, 'listening')
  const receiver = connect(server.address() as string)
  const [sender] = (await once(server, 'connection')) as [Socket]
  onTestFinished(() => {
    receiver.destroy()
    sender.destroy()
    server.close()
  })
  const eventLoop = new EventLoop(systemClock)
  const received: string[] = []
  const afterYields = new Promise<string[]>((resolve) => {
    receiver.on('data', async (data) => {
      received.push(String(data))
      if (received.length > 1) return
      // In the kernel when the call returns, as what the parent sends while an item blocks this process.
      sender.write('second')
      await eventLoop.yieldToEventLoop()
      resolve([...received])
    })
  })
  sender.write('first')
  expect(await afterYields).toEqual(['first', 'second'])
})
