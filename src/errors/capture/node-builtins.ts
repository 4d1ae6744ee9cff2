// Functions of Node's own modules, captured before any job code runs; the counterpart of `builtins.ts`. A separate file
// because node:v8 takes milliseconds to load and `--help` does not need it.
import * as util from 'node:util'
import * as v8 from 'node:v8'

// Copies: an import is a live binding and would follow what a job assigns to these modules.
export const { inspect } = util
export const { isNativeError } = util.types
export const { deserialize, serialize } = v8
