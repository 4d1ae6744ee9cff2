export default async function begins() {
  const now = performance.timeOrigin + performance.now()
  await new Promise((resolve) => setTimeout(resolve, 1))
  return now
}
