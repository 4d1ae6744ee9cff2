// For Node processes and threads that a job starts with a TypeScript file: `--import` loads this first.
import { patchChildren } from './children.js'
import { install } from './install.js'

install().addHooks()
patchChildren()
