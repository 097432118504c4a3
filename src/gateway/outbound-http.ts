import type { Clock } from '../ports.js'
import type { OutboundHttp } from '../ports/outbound-http.js'
import { GatewayError } from '../errors.js'
import { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamClient } from '../upstream/client.js'
import { fetchText } from '../upstream/fetch-text.js'

/** Binds the port to the gateway's own client; redirects are not followed. */
export function createOutboundHttp(client: UpstreamClient, clock: Clock): OutboundHttp {
  return async ({ method, url, headers, body = null }, leaving) => {
    const signal = new CallSignal(clock, 0)
    const leave = (): void => signal.end(new GatewayError('client_closed', 'Nobody waits for the answer any more.'))
    if (leaving.aborted) leave()
    leaving.addEventListener('abort', leave, { once: true })
    try {
      const { status, text } = await fetchText(client, { method, url, headers, body }, signal)
      return { status, text }
    } finally {
      leaving.removeEventListener('abort', leave)
      signal.dispose()
    }
  }
}
