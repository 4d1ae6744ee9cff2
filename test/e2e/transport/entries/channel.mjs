// A worker's side of the channel, as small as the entries need it.
import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'

const HEAD_BYTES = 20
let head = Buffer.alloc(HEAD_BYTES)

export function onceMessage(listener) {
  const socket = new Socket({ fd: 5, writable: false })
  let bytes = Buffer.alloc(0)
  socket.on('data', (data) => {
    bytes = Buffer.concat([bytes, data])
    if (bytes.length < HEAD_BYTES || bytes.length < HEAD_BYTES + bytes.readUInt32LE(16)) return
    head = Buffer.from(bytes.subarray(0, HEAD_BYTES))
    socket.removeAllListeners('data')
    listener(deserialize(bytes.subarray(HEAD_BYTES)))
  })
}

export function send(message) {
  const body = serialize(message)
  head.writeUInt32LE(body.length, 16)
  for (const part of [head, body]) for (let at = 0; at < part.length; ) at += writeSync(4, part, at)
}
