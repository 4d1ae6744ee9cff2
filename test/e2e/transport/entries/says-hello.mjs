// Connects, says its name and process id, and answers what it hears until the other side is gone; or, called
// `blocks-…`, hears nothing ever again.
import { connect } from 'node:net'

const name = process.argv[2] ?? 'blocks-worker'
const socket = connect(process.env.TEST_SOCKET)
socket.on('close', () => process.exit(0)).on('error', () => process.exit(0))
socket.on('data', (bytes) => socket.write(bytes))
socket.write(`${name} ${process.pid}\n`, () => {
  while (name.startsWith('blocks-'));
})
