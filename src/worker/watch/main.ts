// The thread that watches items: see `ipc/flight-recorder/item-watch.ts`.
import { workerData } from 'node:worker_threads'
import { sharedNow } from '../../ipc/flight-recorder/format.js'
import { ItemWatcher, WatchMemory } from '../../ipc/flight-recorder/item-watch.js'
import type { WatchData } from './start.js'

const { shared, fd } = workerData as WatchData
new ItemWatcher(new WatchMemory(shared), fd, sharedNow).run()
