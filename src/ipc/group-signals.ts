// The signals that all processes of a run are sent together.

/**
 * What a supervisor, a CI system or `kill -- -pgid` may send to each process of a run. It is meant for poolrun, which
 * decides what running items may still do: workers ignore it (`worker/guard`).
 */
export const GROUP_SIGNALS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']
