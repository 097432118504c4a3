import { createServer, type RequestListener, type Server } from 'node:http'
import { toListenError } from './start-error.js'

/** A server that listens. */
export interface RunningServer {
  /** With the real port; IPv6 addresses in brackets. */
  readonly url: string
  /**
   * Stops accepting, lets `closeGateway` finish the running calls within `drainMs`, closes idle connections as they
   * become idle, and at the end all others.
   */
  stop(closeGateway: (drainMs: number) => Promise<void>, drainMs: number): Promise<void>
}

/** Listens. @throws StartError where it cannot */
export async function startServer(listener: RequestListener, host: string, port: number): Promise<RunningServer> {
  const server = createServer(listener)
  // Longer than the idle time of the usual load balancers (60 s), so that they, not we, close first.
  server.keepAliveTimeout = 75_000
  const place = host.includes(':') ? `[${host}]` : host
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(toListenError(error, `${place}:${port}`)))
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const realPort = typeof address === 'object' && address ? address.port : port
  return { url: `http://${place}:${realPort}`, stop: (closeGateway, drainMs) => stop(server, closeGateway, drainMs) }
}

// How long calls that were cancelled at the end of the drain may take to notice.
const graceMs = 2_000

async function stop(server: Server, closeGateway: (drainMs: number) => Promise<void>, drainMs: number): Promise<void> {
  const deadline = Date.now() + drainMs
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()))
  server.closeIdleConnections()
  // A connection whose last answer is complete stays open for its next request; there will be none.
  server.on('request', (_, response) => response.on('finish', () => setImmediate(() => server.closeIdleConnections())))
  const sweep = setInterval(() => server.closeIdleConnections(), 50)
  await Promise.race([closeGateway(drainMs), waitUntil(deadline + graceMs)])
  await Promise.race([closed, waitUntil(deadline)])
  clearInterval(sweep)
  server.closeAllConnections()
  await closed
}

function waitUntil(deadline: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, Math.max(0, deadline - Date.now())))
}
