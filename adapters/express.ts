import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Mountable } from '../src/index.js'
import { splitTarget } from './mount.js'
import { serve } from './node-serve.js'

/** What is used of Express's request, of version 4 and 5. */
export interface ExpressRequest extends IncomingMessage {
  /** Path and query below the mount. */
  url: string
  /** What a body parser left; undefined, or `{}` in Express 4, without one. */
  body?: unknown
}

/** Express middleware, described without its types so that hosts of either version compile. */
export type ExpressHandler = (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void

/**
 * Mounts a gateway, or its `admin`, in Express 4 or 5: `app.use('/llm', expressGateway(gateway))`. Works behind
 * `express.json()` and without it; any other path goes to `next()`. `host` of a request is Express's `req`.
 */
export function expressGateway(gateway: Mountable<ExpressRequest>): ExpressHandler {
  return (request, response, next) => {
    const target = splitTarget(request.url, '')
    if (target === null || !serve(gateway, target, request, response, request, request.body)) next()
  }
}
