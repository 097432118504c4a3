import { GatewayError } from '../errors.js'

/** Counts the events of one stream that are not JSON. */
export class MalformedEvents {
  readonly #provider: string
  #count = 0

  constructor(provider: string) {
    this.#provider = provider
  }

  /**
   * Lets one bad event of a stream pass: a single broken line must not cost the caller a long answer, but what more of
   * them hide is missed. None passes once a tool call has begun, since arguments with a hole are worse than an error.
   * @throws GatewayError upstream_invalid
   */
  skip(insideToolCall: boolean): void {
    this.#count += 1
    if (this.#count === 1 && !insideToolCall) return
    throw new GatewayError('upstream_invalid', 'The provider sent a stream with events that are not JSON.', {
      upstream: { provider: this.#provider, status: 200 },
    })
  }
}
