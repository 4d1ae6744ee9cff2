// The public interface of the library. Exports only; each export is documented where it is defined.
export {
  ArgumentEncodingError,
  CallbackError,
  InitializerError,
  InputValidationError,
  JobError,
  NonErrorThrown,
  PoolBrokenError,
  PoolError,
  PoolStateError,
  PoolTerminatedError,
  RemoteTraceback,
  ResultEncodingError,
  ResultNotReadyError,
  TimeoutError,
  WorkerLostError,
} from './errors/classes.js'
export { AsyncResult } from './pool/async-result.js'
export type { PoolIterator } from './pool/item-iterator.js'
export { Pool } from './pool/pool.js'
export type {
  ApplyOptions,
  Callbacks,
  CollectOptions,
  Input,
  IterateOptions,
  MapOptions,
  NextOptions,
  PoolOptions,
  TaskArguments,
  TaskItem,
  TaskName,
  TaskResult,
  UntypedJob,
  WorkerLineInfo,
} from './pool/types.js'
export type { TaskContext } from './worker/task-context.js'
export { currentTask } from './worker/task-context.js'
