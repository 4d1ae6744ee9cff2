// A worker of the prototype: parse, call, stringify, for every line of a chunk.
import { echoLines } from './echo-lines.mjs'

process.on('message', ([id, bytes]) => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  process.send([id, Buffer.from(echoLines(text))])
})
