import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { parseJson } from '../../src/wire/json.js'
import { closeServer, listen } from '../support/http-server.js'
import type { Exchange } from './exchange.js'
import { endOfRecording } from './pending.js'

/** A request as it arrived at the provider's end. */
export interface Sent {
  /** With query; without what is put before it to tell exchanges apart. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
}

/** A local server that plays every provider: it answers below `/<id>` what was recorded under that id. */
export interface ReplayUpstream {
  baseUrl(id: string): string
  /** The requests that came for an exchange, in order. */
  sentFor(id: string): readonly Sent[]
  close(): Promise<void>
}

// What belongs to the recorded connection, not to this one.
const connectionHeaders = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'transfer-encoding',
  'keep-alive',
])

/** Starts the server on a free port. */
export async function startUpstream(exchanges: ReadonlyMap<string, Exchange>): Promise<ReplayUpstream> {
  const sent = new Map<string, Sent[]>()
  const server = createServer((incoming, outgoing) => {
    const [, id = '', path = ''] = /^\/([^/]+)(\/.*)$/.exec(incoming.url ?? '') ?? []
    const exchange = exchanges.get(id)
    void readBody(incoming).then((text) => {
      const requests = sent.get(id) ?? []
      sent.set(id, [...requests, { path, headers: incoming.headers, body: parseJson(text) ?? text }])
      if (exchange && requests.length > 0 && incoming.method === 'GET') endRecording(outgoing)
      else if (exchange) answer(exchange, outgoing)
      else outgoing.writeHead(500).end('no such exchange')
    })
  })
  const origin = await listen(server)
  return {
    baseUrl: (id) => `${origin}/${id}`,
    sentFor: (id) => sent.get(id) ?? [],
    close: () => closeServer(server),
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of incoming as AsyncIterable<Buffer>) pieces.push(piece)
  return Buffer.concat(pieces).toString('utf8')
}

/** Google streams a JSON list where SSE is not asked for; we always ask, so its pieces are sent as the events they are. */
function jsonStream({ entry, response }: Exchange): string | undefined {
  if (entry.api !== 'gemini.generateContent' || response.status >= 400 || response.format !== 'json') return undefined
  const body = parseJson(response.text)
  return Array.isArray(body) ? body.map((piece) => `data: ${JSON.stringify(piece)}\n\n`).join('') : undefined
}

function endRecording(outgoing: ServerResponse): void {
  outgoing.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ detail: endOfRecording }))
}

function answer(exchange: Exchange, outgoing: ServerResponse): void {
  const { response } = exchange
  for (const [name, value] of Object.entries(response.headers)) {
    if (!connectionHeaders.has(name.toLowerCase())) outgoing.setHeader(name, value)
  }
  outgoing.statusCode = response.status
  const events = jsonStream(exchange)
  if (events !== undefined) outgoing.setHeader('content-type', 'text/event-stream')
  // Some recorders kept another type than the one that the server sends for its streams.
  if (response.format === 'eventstream') outgoing.setHeader('content-type', 'application/vnd.amazon.eventstream')
  if (response.format === 'ndjson') outgoing.setHeader('content-type', 'application/x-ndjson')
  outgoing.end(events ?? response.bytes ?? response.text)
}
