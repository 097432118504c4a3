import { type AddressInfo, type Socket, connect, createServer } from 'node:net'

/** A way to a server that can swallow everything without closing a connection. */
export interface BlackHole {
  readonly port: number
  /** From now on nothing passes, in no direction. */
  swallow(): void
  /** What comes from now on passes again; what was swallowed comes late. */
  release(): void
  close(): Promise<void>
}

/** Listens on a free port and forwards to `port`. */
export async function blackHole(port: number): Promise<BlackHole> {
  const sockets = new Set<Socket>()
  let swallowing = false
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', (bytes) => void to.write(bytes))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
      if (swallowing) from.pause()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    swallow() {
      swallowing = true
      for (const socket of sockets) socket.pause()
    },
    release() {
      swallowing = false
      for (const socket of sockets) socket.resume()
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
