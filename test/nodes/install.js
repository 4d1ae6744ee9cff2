// Other versions of Node, from the packages that carry its binaries. They are kept outside of the checkout, in a folder of
// this user alone, so that only the first run downloads them.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import path from 'node:path'

const { uid } = userInfo()
const folder = path.join(tmpdir(), `poolrun-nodes-${uid}`)
const NAME = `node-${process.platform}-${process.arch}`

/** Path of the binary. Throws where the package cannot be installed. */
export function install(major) {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid: owner, mode } = lstatSync(folder)
  if (owner !== uid || (mode & 0o022) !== 0) throw new Error(`${folder} can be written by others`)
  const prefix = path.join(folder, String(major))
  const binary = path.join(prefix, 'node_modules', NAME, 'bin/node')
  if (!existsSync(binary)) {
    mkdirSync(prefix, { recursive: true })
    const args = ['install', '--prefix', prefix, '--no-save', '--no-audit', '--no-fund', '--ignore-scripts']
    const stdio = ['ignore', 'ignore', 'inherit']
    execFileSync('npm', [...args, `${NAME}@${major}`], { cwd: prefix, stdio, timeout: 300_000 })
  }
  return binary
}
