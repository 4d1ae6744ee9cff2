setInterval(() => {}, 60_000)
process.disconnect()
