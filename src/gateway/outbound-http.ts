import type { Clock } from '../ports.js'
import type { OutboundHttp } from '../ports/outbound-http.js'
import { GatewayError } from '../errors.js'
import { CallSignal } from '../upstream/call-signal.js'
import type { UpstreamClient } from '../upstream/client.js'
import { readBody } from '../upstream/response-body.js'

const maxAnswerBytes = 1024 * 1024

/** Binds the port to the gateway's own client; redirects are not followed. */
export function createOutboundHttp(client: UpstreamClient, clock: Clock): OutboundHttp {
  return async ({ method, url, headers, body }, leaving) => {
    const { origin, pathname, search } = new URL(url)
    const signal = new CallSignal(clock, 0)
    const leave = (): void => signal.end(new GatewayError('client_closed', 'Nobody waits for the answer any more.'))
    if (leaving.aborted) leave()
    leaving.addEventListener('abort', leave, { once: true })
    try {
      const request = { origin, path: `${pathname}${search}`, method, headers, body: body ?? null }
      const response = await client.send(request, signal, { connect: 0, headers: 0 })
      return { status: response.status, text: (await readBody(response.body, maxAnswerBytes)).toString('utf8') }
    } finally {
      leaving.removeEventListener('abort', leave)
      signal.dispose()
    }
  }
}
