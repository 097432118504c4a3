/** What this process has computed, in milliseconds: a busy machine does not count. */
export function cpuMilliseconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1_000
}
