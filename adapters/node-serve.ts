import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Mountable } from '../src/index.js'
import { failureAnswer } from './failure.js'
import type { Target } from './mount.js'
import { NodeHttpRequest } from './node-request.js'
import { writeAnswer, writeBody } from './node-response.js'

/** Answers a request whose path the gateway serves; false, with nothing touched, for any other. */
export function serve<Host>(
  gateway: Mountable<Host>,
  target: Target,
  incoming: IncomingMessage,
  response: ServerResponse,
  host: Host,
  hostBody: unknown,
): boolean {
  const request = new NodeHttpRequest(incoming, response, target, host, hostBody)
  const answer = gateway.handle(request)
  if (answer === null) return false
  answer.then(
    (value) => writeAnswer(request, incoming, response, value),
    (error: unknown) => writeBody(incoming, response, failureAnswer(error)),
  )
  return true
}
