// How often crashed workers are replaced before the run gives up. Pure; the scheduler counts and decides.
// The idea is Erlang's supervisor intensity, without its time window: a batch run ends, so a total is enough.

/** Every crash costs one item, so a run with a few bad items passes; a job that kills every worker does not. */
export function defaultRestartLimit(processes: number): number {
  return Math.max(16, 4 * processes)
}
