import { GatewayError } from '../errors.js'

/** The connection's side of a body: undici's controller, as far as it is needed. */
export interface BodySource {
  pause(): void
  resume(): void
  abort(reason: Error): void
}

// Enough to keep the socket busy, little enough that a thousand slow readers stay cheap.
const highWaterMark = 64 * 1024

/** A response body as its bytes arrive; a slow reader holds back the connection, and leaving early closes it. */
export class ResponseBody implements AsyncIterableIterator<Buffer> {
  readonly #source: BodySource
  #queue: Buffer[] = []
  #queued = 0
  #paused = false
  #done = false
  #error: GatewayError | undefined
  #waiting:
    | { readonly resolve: (result: IteratorResult<Buffer>) => void; readonly reject: (error: GatewayError) => void }
    | undefined

  constructor(source: BodySource) {
    this.#source = source
  }

  /** Bytes arrived from the connection. */
  add(chunk: Buffer): void {
    if (this.#done) return
    if (this.#waiting) {
      const { resolve } = this.#waiting
      this.#waiting = undefined
      return resolve({ done: false, value: chunk })
    }
    this.#queue.push(chunk)
    this.#queued += chunk.length
    if (this.#queued < highWaterMark || this.#paused) return
    this.#paused = true
    this.#source.pause()
  }

  /** The connection gave everything. */
  close(): void {
    if (this.#done) return
    this.#done = true
    this.#waiting?.resolve({ done: true, value: undefined })
    this.#waiting = undefined
  }

  /** The body will never be whole: pending and later reads throw. */
  fail(error: GatewayError): void {
    if (this.#done) return
    this.#done = true
    this.#error = error
    this.#waiting?.reject(error)
    this.#waiting = undefined
  }

  next(): Promise<IteratorResult<Buffer>> {
    const chunk = this.#queue.shift()
    if (chunk !== undefined) {
      this.#queued -= chunk.length
      if (this.#paused && this.#queued < highWaterMark) {
        this.#paused = false
        this.#source.resume()
      }
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#error) return Promise.reject(this.#error)
    if (this.#done) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** Stops the transfer and closes its connection; harmless after the end. */
  return(): Promise<IteratorResult<Buffer>> {
    this.cancel(new GatewayError('client_closed', 'The rest of the answer was not wanted.'))
    return Promise.resolve({ done: true, value: undefined })
  }

  /** As `return`, with the reason that a waiting reader gets. */
  cancel(reason: GatewayError): void {
    this.#queue = []
    if (this.#done) return
    this.fail(reason)
    this.#source.abort(reason)
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

/**
 * Collects a body; `onChunk` is told of every piece.
 * @throws GatewayError upstream_invalid above `limitBytes`
 */
export async function readBody(body: AsyncIterable<Buffer>, limitBytes: number, onChunk?: () => void): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of body) {
    onChunk?.()
    length += chunk.length
    if (length > limitBytes) {
      throw new GatewayError('upstream_invalid', `The provider's answer is larger than ${limitBytes} bytes.`)
    }
    chunks.push(chunk)
  }
  const [first] = chunks
  return chunks.length === 1 && first ? first : Buffer.concat(chunks, length)
}
