import { type HttpRequest, GatewayError } from '../src/index.js'
import { alreadyRead, assertJsonType, clientClosed, inflaterFor, parseJson, tooLarge } from './json-body.js'
import { ignore } from './failure.js'
import type { Target } from './mount.js'

/** What a request comes from: a WHATWG Request, or the arguments of a `fetch` call. */
export interface FetchSource {
  readonly method: string
  readonly url: string
  readonly headers: Headers
  /** Null without a body; a stream is read once. */
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | null
  /** The body was consumed by somebody else. */
  readonly bodyUsed: boolean
}

/** A WHATWG request as the gateway takes it; everything is made when asked for. */
export class FetchHttpRequest<Host> implements HttpRequest<Host> {
  readonly method: string
  readonly path: string
  readonly host: Host
  readonly signal: AbortSignal
  readonly #source: FetchSource
  readonly #search: string
  #query: URLSearchParams | undefined
  #headers: Readonly<Record<string, string>> | undefined
  #json: Promise<unknown> | undefined

  constructor(source: FetchSource, target: Target, host: Host, signal: AbortSignal) {
    this.method = source.method
    this.path = target.path
    this.host = host
    this.signal = signal
    this.#source = source
    this.#search = target.search
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search))
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    return (this.#headers ??= Object.fromEntries(this.#source.headers))
  }

  json(limitBytes: number): Promise<unknown> {
    return (this.#json ??= this.#readJson(limitBytes))
  }

  async #readJson(limitBytes: number): Promise<unknown> {
    const { headers, body, bodyUsed } = this.#source
    assertJsonType(headers.get('content-type') ?? undefined, headers.has('origin') || headers.has('sec-fetch-site'))
    const inflate = inflaterFor(headers.get('content-encoding') ?? undefined)
    if (bodyUsed) throw alreadyRead()
    if (Number(headers.get('content-length') ?? 0) > limitBytes) throw tooLarge(limitBytes)
    const bytes = await this.#readBody(body, limitBytes)
    return parseJson(inflate === null ? bytes : await inflate(toBytes(bytes), limitBytes))
  }

  async #readBody(body: FetchSource['body'], limitBytes: number): Promise<string | Uint8Array> {
    if (body === null) return ''
    if (body instanceof ReadableStream) return readStream(body, limitBytes, this.signal)
    if ((typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength) > limitBytes) throw tooLarge(limitBytes)
    return body
  }
}

function toBytes(body: string | Uint8Array): Uint8Array {
  return typeof body === 'string' ? Buffer.from(body) : body
}

async function readStream(
  stream: ReadableStream<Uint8Array>,
  limitBytes: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (signal.aborted) throw clientClosed()
  const reader = stream.getReader()
  const leave = (): void => void reader.cancel().catch(ignore)
  signal.addEventListener('abort', leave, { once: true })
  try {
    const bytes = await readAll(reader, limitBytes)
    // A cancelled stream ends as if it were whole.
    if (!signal.aborted) return bytes
  } catch (error) {
    leave()
    throw GatewayError.isInstance(error) ? error : clientClosed(error)
  } finally {
    signal.removeEventListener('abort', leave)
  }
  throw clientClosed()
}

async function readAll(reader: ReadableStreamDefaultReader<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let total = 0
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    total += step.value.byteLength
    if (total > limitBytes) throw tooLarge(limitBytes)
    pieces.push(step.value)
  }
  return Buffer.concat(pieces)
}
