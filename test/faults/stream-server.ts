import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { closeServer, listen } from '../support/http-server.js'

/** An upstream that streams OpenAI chunks for ever, and counts. */
export interface StreamServer {
  readonly url: string
  /** Bytes given to sockets so far. */
  readonly sentBytes: number
  /** Requests so far, and those of them that are not over. */
  readonly requests: number
  readonly running: number
  readonly openSockets: number
  close(): Promise<void>
}

/** Starts it; every event carries so many characters, and one follows the other as fast as the socket takes them, or every `paceMs`. */
export async function startStreamServer(characters: number, paceMs = 0): Promise<StreamServer> {
  const sockets = new Set<Socket>()
  const counts = { sentBytes: 0, requests: 0, running: 0 }
  const choices = [{ index: 0, delta: { content: 'x'.repeat(characters) }, finish_reason: null }]
  const frame = Buffer.from(
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`,
  )
  const server = createServer((request, response) => {
    counts.requests += 1
    counts.running += 1
    request.resume()
    let open = true
    response.on('close', () => {
      open = false
      counts.running -= 1
    })
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const send = (): void => {
      while (open) {
        counts.sentBytes += frame.length
        if (!response.write(frame)) return void response.once('drain', send)
        if (paceMs > 0) return void setTimeout(send, paceMs)
      }
    }
    send()
  })
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  const url = await listen(server)
  return {
    url,
    get sentBytes() {
      return counts.sentBytes
    },
    get requests() {
      return counts.requests
    },
    get running() {
      return counts.running
    },
    get openSockets() {
      return sockets.size
    },
    close: () => closeServer(server),
  }
}
