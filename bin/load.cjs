// Loads files of dist with the code that V8 compiled for them at an earlier start: compiling takes a fifth of the processor
// time of a short run. Node 22 and newer have a cache for this, too, but it keeps fewer functions and saves half as much.
const fs = require('node:fs')
const path = require('node:path')
const { Script } = require('node:vm')
const { crc32 } = require('node:zlib')

const DIST = path.join(__dirname, '../dist')
// Inside the installation. In a shared temporary folder, other users could plant code. If the installation is not
// writable, there is no cache.
const CACHE = path.join(__dirname, '../.cache', `${process.version}-${process.arch}`)
const HEAD = '(function (exports, require, module, __filename, __dirname) { '
// Compiled code from a cache does not count for the coverage of tests.
const isDisabled =
  process.env.NODE_DISABLE_COMPILE_CACHE === '1' || process.env.NODE_V8_COVERAGE !== undefined

const modules = new Map()
/** Files without usable compiled code in the cache: `{ name, source, script }`. */
const uncached = []

/**
 * The exports of a file of dist, such as `main.cjs`. Files that it requires from there are loaded in the same way. None of
 * them can use `import()`: on Node 20, it fails in code from a cache.
 * @param {string} name
 */
module.exports = function load(name) {
  const loaded = modules.get(name)
  if (loaded !== undefined) return loaded.exports
  const filename = path.join(DIST, name)
  const source = fs.readFileSync(filename)
  const script = new Script(`${HEAD}${source}\n})`, {
    filename,
    columnOffset: -HEAD.length,
    cachedData: isDisabled ? undefined : compiledCode(name, source),
  })
  if (!isDisabled && script.cachedDataRejected !== false) saveAtExit({ name, source, script })
  const module = { exports: {} }
  modules.set(name, module)
  const requireFile = (id) => (id.startsWith('./') ? load(id.slice(2)) : require(id))
  script.runInThisContext().call(module.exports, module.exports, requireFile, module, filename, DIST)
  return module.exports
}

/**
 * An entry is the source, by which an edited file is noticed, the compiled code, and a checksum of both in 4 bytes: V8
 * crashes on damaged code.
 */
function compiledCode(name, source) {
  let entry
  try {
    entry = fs.readFileSync(entryOf(name))
  } catch {
    return undefined
  }
  const end = entry.length - 4
  if (end < source.length || !source.equals(entry.subarray(0, source.length))) return undefined
  return crc32(entry.subarray(0, end)) === entry.readUInt32LE(end)
    ? entry.subarray(source.length, end)
    : undefined
}

function entryOf(name) {
  return path.join(CACHE, `${name}.bin`)
}

/** At the exit, V8 has compiled the functions that a run calls. */
function saveAtExit(file) {
  if (uncached.push(file) === 1) process.once('exit', save)
}

function save() {
  try {
    // The job may have changed the umask, and others must not change code that runs here.
    fs.mkdirSync(CACHE, { recursive: true, mode: 0o755 })
    for (const { name, source, script } of uncached) {
      // Renamed, because other processes read and write the same entry.
      const temporary = path.join(CACHE, `${name}.${process.pid}`)
      const file = fs.openSync(temporary, 'wx', 0o644)
      try {
        const entry = Buffer.concat([source, script.createCachedData(), Buffer.alloc(4)])
        entry.writeUInt32LE(crc32(entry.subarray(0, -4)), entry.length - 4)
        fs.writeFileSync(file, entry)
        fs.renameSync(temporary, entryOf(name))
      } catch {
        fs.rmSync(temporary, { force: true })
      } finally {
        fs.closeSync(file)
      }
    }
  } catch {
    // Starts take longer, and nothing else changes.
  }
}
