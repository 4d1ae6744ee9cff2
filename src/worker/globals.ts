// The globals that a worker's own code uses. `build.js` makes the bundle take them from here, so that a job that replaces
// or removes one of them later does not reach the worker.
const {
  Array: CapturedArray,
  Error: CapturedError,
  Float64Array: CapturedFloat64Array,
  Int32Array: CapturedInt32Array,
  Map: CapturedMap,
  Number: CapturedNumber,
  Object: CapturedObject,
  Promise: CapturedPromise,
  Set: CapturedSet,
  SharedArrayBuffer: CapturedSharedArrayBuffer,
  String: CapturedString,
  TypeError: CapturedTypeError,
  Uint8Array: CapturedUint8Array,
  process: capturedProcess,
} = globalThis
// With their functions as they are now: one that is replaced later is not found here.
const CapturedBuffer: typeof Buffer = Object.create(Buffer, Object.getOwnPropertyDescriptors(Buffer))
// Only those that are used: V8 is fast with objects that have few properties.
const { abs, ceil, floor, max, min } = Math
const CapturedMath: typeof Math = Object.setPrototypeOf({ abs, ceil, floor, max, min }, Math)
const { parse, stringify } = JSON
const CapturedJson: typeof JSON = Object.setPrototypeOf({ parse, stringify }, JSON)
const { compareExchange, load, notify, store, wait } = Atomics
const ofAtomics = { compareExchange, load, notify, store, wait }
const CapturedAtomics: typeof Atomics = Object.setPrototypeOf(ofAtomics, Atomics)

export {
  CapturedArray as Array,
  CapturedAtomics as Atomics,
  CapturedBuffer as Buffer,
  CapturedError as Error,
  CapturedFloat64Array as Float64Array,
  CapturedInt32Array as Int32Array,
  CapturedJson as JSON,
  CapturedMap as Map,
  CapturedMath as Math,
  CapturedNumber as Number,
  CapturedObject as Object,
  CapturedPromise as Promise,
  CapturedSet as Set,
  CapturedSharedArrayBuffer as SharedArrayBuffer,
  CapturedString as String,
  CapturedTypeError as TypeError,
  CapturedUint8Array as Uint8Array,
  capturedProcess as process,
}
