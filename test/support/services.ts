import { connect } from 'node:net'

/** Where the services of the tests are. */
export const serviceUrls = {
  redis: process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379',
  postgres: process.env['TEST_POSTGRES_URL'] ?? 'postgres://postgres@127.0.0.1:5432/test',
  mysql: process.env['TEST_MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/test',
} as const

/**
 * True where the service takes connections; else prints one line and gives false, so that its suite is skipped.
 * @throws Error where `REQUIRE_SERVICES=1` and the service is missing
 */
export async function hasService(name: keyof typeof serviceUrls): Promise<boolean> {
  const { hostname, port } = new URL(serviceUrls[name])
  const reached = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: hostname, port: Number(port) })
    socket.setTimeout(2_000, () => socket.destroy(new Error('too slow')))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
  if (reached) return true
  const message = `${name} does not answer at ${hostname}:${port}`
  if (process.env['REQUIRE_SERVICES'] === '1') throw new Error(message)
  console.log(`skipped: ${message}`)
  return false
}
