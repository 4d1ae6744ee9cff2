// Whether poolrun can run here. Old Nodes, Bun and Deno load this file, too: it must parse and run on them.
const NEEDED = [20, 19]

const { bun, deno, node } = process.versions
const [major, minor] = node.split('.').map(Number)
const isTooOld = major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])
const found = bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : isTooOld ? `Node ${node}` : undefined

/** What is wrong, in one line; `undefined` if nothing is. */
exports.problem = found && `poolrun needs Node.js ${NEEDED.join('.')} or newer; this is ${found}`
