import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { answerAsHost } from './hosts.js'

/** A small server that runs `Request → Response` as frameworks of that kind do; a 404 goes to the host. */
export function fetchBridge(handler: (request: Request) => Promise<Response>): Server {
  return createServer((incoming, outgoing) => {
    bridge(handler, incoming, outgoing).catch(() => outgoing.destroy())
  })
}

async function bridge(
  handler: (request: Request) => Promise<Response>,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const client = new AbortController()
  let wake = (): void => {}
  outgoing.on('drain', () => wake())
  outgoing.on('close', () => {
    if (!outgoing.writableFinished) client.abort()
    wake()
  })
  const response = await handler(toRequest(incoming, client.signal))
  if (response.status === 404) return answerAsHost(incoming, outgoing)
  const headers = Object.fromEntries(response.headers)
  if (response.body === null || !headers['content-type']?.startsWith('text/event-stream')) {
    const body = new Uint8Array(await response.arrayBuffer())
    const length = response.status === 204 || incoming.method === 'HEAD' ? {} : { 'content-length': body.byteLength }
    outgoing.writeHead(response.status, { ...headers, ...length }).end(body)
    return
  }
  outgoing.writeHead(response.status, headers)
  for await (const piece of response.body) {
    if (outgoing.destroyed) return
    if (!outgoing.write(piece)) await new Promise<void>((resolve) => (wake = resolve))
  }
  outgoing.end()
}

function toRequest(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', url = '/', rawHeaders } = incoming
  const headers = new Headers()
  for (let index = 0; index < rawHeaders.length; index += 2) {
    headers.append(rawHeaders[index] ?? '', rawHeaders[index + 1] ?? '')
  }
  const body = method === 'GET' || method === 'HEAD' ? null : toStream(incoming)
  return new Request(`http://bridge.example${url}`, { method, headers, body, signal, duplex: 'half' })
}

function toStream(incoming: IncomingMessage): ReadableStream<Uint8Array> {
  incoming.pause()
  return new ReadableStream({
    start(controller) {
      incoming.on('data', (piece: Uint8Array) => {
        incoming.pause()
        controller.enqueue(piece)
      })
      incoming.on('end', () => controller.close())
      incoming.on('error', (error) => controller.error(error))
    },
    pull() {
      incoming.resume()
    },
    cancel() {
      incoming.removeAllListeners().on('error', () => {})
      incoming.resume()
    },
  })
}
