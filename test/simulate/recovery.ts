// After a crash of the parent, a new one continues from the bytes of the disk that survived. The place of the journal in
// the simulation: what it knows about finished items enters here. Without one, nothing is known and all items run again.
import type { Disk } from './disk.js'

export const OUTPUT_FILE = 'output'

export function recover(disk: Disk, calls: number): void {
  for (let call = 0; call < calls; call++) disk.open(`${OUTPUT_FILE}${call}`).truncate(0)
}
