// A job that computes for so many milliseconds.
export function forMs(ms) {
  const end = performance.now() + ms
  while (performance.now() < end);
  return ms
}
