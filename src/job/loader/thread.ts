// The hooks as Node without `registerHooks` runs them: in their own thread.
import path from 'node:path'
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import type { JobGraph } from './graph.js'
import { type HookOptions, type LoadedSource, ModuleHooks, type Resolved } from './hooks.js'

interface ThreadData {
  readonly port: MessagePort
  readonly graph?: JobGraph
  readonly options: Omit<HookOptions, 'compiler'>
}

let hooks: ModuleHooks
let graphs: MessagePort

export function initialize({ port, graph, options }: ThreadData): void {
  hooks = new ModuleHooks({ ...options, compiler: path.join(import.meta.dirname, 'compiler.cjs') })
  graphs = port
  if (graph !== undefined) hooks.add(graph)
}

export async function resolve(...args: Parameters<ModuleHooks['resolve']>): Promise<Resolved> {
  // The process may load more jobs later.
  for (let next = receiveMessageOnPort(graphs); next !== undefined; next = receiveMessageOnPort(graphs))
    hooks.add(next.message as JobGraph)
  return hooks.resolve(...args)
}

export async function load(...args: Parameters<ModuleHooks['load']>): Promise<LoadedSource> {
  return hooks.load(...args)
}
