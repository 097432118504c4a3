import { GatewayError } from '../errors.js'

// One bad event is skipped and the answer goes on; a server that sends more of them does not speak the dialect.
const most = 3

/** Counts the events of one stream that are not JSON. */
export class MalformedEvents {
  readonly #provider: string
  #count = 0

  constructor(provider: string) {
    this.#provider = provider
  }

  /** Lets a bad event pass. @throws GatewayError upstream_invalid at the fourth */
  skip(): void {
    this.#count += 1
    if (this.#count <= most) return
    throw new GatewayError('upstream_invalid', 'The provider sent a stream with events that are not JSON.', {
      upstream: { provider: this.#provider, status: 200 },
    })
  }
}
