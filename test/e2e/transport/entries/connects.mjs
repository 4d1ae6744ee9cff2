// Connects, sends its name and process id, and echoes what it receives until the other side closes. With a name that
// begins with `blocks-` it stays in a busy loop instead.
import { connect } from 'node:net'

const name = process.argv[2] ?? 'blocks-worker'
const socket = connect(process.env.TEST_SOCKET)
socket.on('close', () => process.exit(0)).on('error', () => process.exit(0))
socket.on('data', (bytes) => socket.write(bytes))
socket.write(`${name} ${process.pid}\n`, () => {
  while (name.startsWith('blocks-'));
})
