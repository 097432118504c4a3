import type { Gateway } from '../../src/gateway.js'
import type { HttpRequest, HttpResponse } from '../../src/http/message.js'
import type { Caller } from '../../src/ports.js'
import type { JsonObject } from '../../src/wire/json.js'
import type { Received } from './client.js'
import type { Replay } from './scope.js'

const paths: Readonly<Record<Replay['operation'], string>> = {
  chat: '/v1/chat/completions',
  completions: '/v1/completions',
  embeddings: '/v1/embeddings',
  images: '/v1/images/generations',
  moderations: '/v1/moderations',
}

/** Sends one request through the gateway as an adapter would, and reads the whole answer. */
export async function send(
  gateway: Gateway,
  operation: Replay['operation'],
  body: JsonObject,
  callerId: string,
): Promise<Received> {
  const request: HttpRequest = {
    method: 'POST',
    path: paths[operation],
    query: new URLSearchParams(),
    headers: { 'content-type': 'application/json' },
    signal: new AbortController().signal,
    host: undefined,
    json: () => Promise.resolve(body),
  }
  // Callers of their own, so that no exchange is given what the gateway remembers of another.
  const caller: Caller = { id: callerId, role: 'member', models: 'all', scopes: [] }
  const response = await gateway.handle(request, caller)
  if (!response) throw new Error(`${request.path} is not served`)
  return { status: response.status, headers: response.headers, text: await readText(response) }
}

async function readText(response: HttpResponse): Promise<string> {
  if (!('stream' in response)) return Buffer.from(response.body ?? '').toString('utf8')
  const pieces: Buffer[] = []
  for await (const piece of response.stream) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces).toString('utf8')
}

/** Does `work` on every item, at most `width` at a time. */
export async function forEachOf<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async () => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: width }, worker))
}
