import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Mountable } from '../src/index.js'
import { notFoundAnswer } from './failure.js'
import { mountPrefix, splitTarget } from './mount.js'
import { writeBody } from './node-response.js'
import { serve } from './node-serve.js'

/** Where a gateway is served. */
export interface NodeGatewayOptions {
  /** Path that the gateway's paths are below, such as `/llm`. @default '/' */
  readonly path?: string
}

/** A `node:http` request that a host's body parser may have been at. */
export interface NodeRequest extends IncomingMessage {
  body?: unknown
}

/** A request listener of `node:http`; with `next` it is Connect middleware too. */
export type NodeHandler = (request: NodeRequest, response: ServerResponse, next?: (error?: unknown) => void) => void

/**
 * Serves a gateway with plain `node:http`: `http.createServer(nodeGateway(gateway))`. Any other path goes to `next`, or
 * is a 404 in OpenAI's shape without one. `host` of a request is the IncomingMessage.
 */
export function nodeGateway(gateway: Mountable<NodeRequest>, options: NodeGatewayOptions = {}): NodeHandler {
  const prefix = mountPrefix(options.path)
  return (request, response, next) => {
    const target = splitTarget(request.url, prefix)
    if (target !== null && serve(gateway, target, request, response, request, request.body)) return
    if (next !== undefined) return next()
    writeBody(request, response, notFoundAnswer(request.method ?? 'GET', splitTarget(request.url, '')?.path ?? '/'))
  }
}

/** What serves everything else: an Express app, `koaApp.callback()`, or any request listener. */
export type HostListener = (request: IncomingMessage, response: ServerResponse) => unknown

/**
 * Puts a gateway before a host's app, whose middleware its paths then skip:
 * `http.createServer(wrapServer(gateway, app, { path: '/llm' }))`. Everything else reaches the app untouched.
 */
export function wrapServer(
  gateway: Mountable<NodeRequest>,
  app: HostListener,
  options: NodeGatewayOptions = {},
): (request: IncomingMessage, response: ServerResponse) => void {
  const prefix = mountPrefix(options.path)
  return (request, response) => {
    const target = splitTarget(request.url, prefix)
    if (target === null || !serve(gateway, target, request, response, request, undefined)) app(request, response)
  }
}
