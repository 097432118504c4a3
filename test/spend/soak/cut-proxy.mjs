import { once } from 'node:events'
import { connect, createServer } from 'node:net'

/** Listens on a free port: a way to the server at `url` that can be cut, and mended. */
export async function createCutProxy(url) {
  const { port, hostname } = new URL(url)
  const sockets = new Set()
  let isCut = false
  const server = createServer((socket) => {
    if (isCut) return socket.destroy()
    const upstream = connect(Number(port), hostname)
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ]) {
      sockets.add(one)
      one.pipe(other)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const by = new URL(url)
  by.host = `127.0.0.1:${server.address().port}`
  return {
    url: by.href,
    cut() {
      isCut = true
      for (const socket of sockets) socket.destroy()
    },
    mend() {
      isCut = false
    },
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
