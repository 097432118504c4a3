import type { IncomingMessage, ServerResponse } from 'node:http'
import { parseJson } from '../wire/json.js'
import type { Outlet } from './deliver.js'
import type { BilledTokens, FakeRequest } from './script.js'

/** One request on its way: what the journal shows, and where its answer goes. */
export interface Exchange extends Outlet {
  readonly request: FakeRequest
}

/** Reads a request to its end; undefined where the client left before that. */
export async function receive(incoming: IncomingMessage, response: ServerResponse): Promise<Exchange | undefined> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  } catch {
    return undefined
  }
  const only = chunks[0]
  const bytes = chunks.length === 1 && only ? only : Buffer.concat(chunks)
  return toExchange(incoming, response, bytes)
}

function toExchange(incoming: IncomingMessage, response: ServerResponse, bytes: Buffer): Exchange {
  let abortedAt: number | undefined
  let droppedByUs = false
  let billed: BilledTokens | undefined
  const closed = new Promise<void>((resolve) => {
    response.once('close', () => {
      if (!response.writableFinished && !droppedByUs) abortedAt = Date.now()
      resolve()
    })
  })
  const request: FakeRequest = {
    method: incoming.method ?? 'GET',
    path: incoming.url ?? '/',
    headers: flatten(incoming.headers),
    body: bytes.length === 0 ? undefined : parseJson(bytes.toString('utf8')),
    bytes: bytes.length,
    receivedAt: Date.now(),
    get aborted() {
      return abortedAt !== undefined
    },
    get abortedAt() {
      return abortedAt
    },
    get billed() {
      return billed
    },
    closed,
  }
  return {
    request,
    response,
    bill(tokens) {
      billed = tokens
    },
    drop(reset) {
      droppedByUs = true
      if (reset) response.socket?.resetAndDestroy()
      else response.destroy()
    },
  }
}

function flatten(headers: IncomingMessage['headers']): Record<string, string | undefined> {
  const flat: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(headers)) flat[name] = Array.isArray(value) ? value.join(', ') : value
  return flat
}
