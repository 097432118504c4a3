import { Pool } from 'undici'

/** Sends requests to one server over connections that stay open, and holds every answer against what it must be. */
export class Load {
  #pool
  #body
  #accepts

  /** `accepts` says of every answer, as Latin-1 text, whether it is right. */
  constructor(port, body, accepts) {
    this.#pool = new Pool(`http://127.0.0.1:${port}`, { connections: 256, headersTimeout: 30_000, bodyTimeout: 30_000 })
    this.#body = body
    this.#accepts = accepts
  }

  /**
   * Sends `count` requests, `inFlight` at a time. Those that `leaves` names are aborted at their first byte.
   * @returns per request, in milliseconds: `firstByte` and `total`
   */
  async run(count, inFlight, { bodyOf = () => this.#body, leaves = () => false } = {}) {
    const firstByte = []
    const total = []
    let next = 0
    const worker = async () => {
      while (next < count) {
        const index = next
        next += 1
        const times = await this.#send(bodyOf(index), leaves(index))
        firstByte.push(times.firstByte)
        total.push(times.total)
      }
    }
    await Promise.all(Array.from({ length: inFlight }, worker))
    return { firstByte, total }
  }

  close() {
    return this.#pool.destroy()
  }

  #send(body, leaves) {
    return new Promise((resolve, reject) => {
      const start = performance.now()
      let firstByte
      let status
      const pieces = []
      this.#pool.dispatch(
        {
          path: '/v1/chat/completions',
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer bench' },
          body,
        },
        {
          onRequestStart() {},
          onResponseStart(_controller, statusCode) {
            status = statusCode
          },
          onResponseData(controller, piece) {
            firstByte ??= performance.now() - start
            pieces.push(piece)
            if (leaves) controller.abort(new Error('left on purpose'))
          },
          onResponseEnd: () => {
            const times = { firstByte, total: performance.now() - start }
            const answer = Buffer.concat(pieces).toString('latin1')
            if (status === 200 && this.#accepts(answer)) return resolve(times)
            reject(new Error(`The server answered ${status}: …${answer.slice(-300)}`))
          },
          onResponseError: (_controller, error) =>
            leaves ? resolve({ firstByte, total: performance.now() - start }) : reject(error),
        },
      )
    })
  }
}
