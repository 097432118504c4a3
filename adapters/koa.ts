import { STATUS_CODES } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpBodyResponse, HttpResponse, Mountable } from '../src/index.js'
import { failureAnswer } from './failure.js'
import { mountPrefix, splitTarget } from './mount.js'
import { NodeHttpRequest } from './node-request.js'
import { writeAnswer } from './node-response.js'

/** What is used of Koa's context, of version 2 and 3. */
export interface KoaContext {
  readonly req: IncomingMessage
  readonly res: ServerResponse
  /** `body` is what a body parser left. */
  readonly request: { readonly method: string; readonly body?: unknown }
  /** False tells Koa that the answer is written without it. */
  respond?: boolean | undefined
  status: number
  body: unknown
  set(name: string, value: string): void
}

/** Koa middleware, described without its types. */
export type KoaHandler = (context: KoaContext, next: () => Promise<unknown>) => Promise<void>

/** Where a gateway is served. */
export interface KoaGatewayOptions {
  /** Path that the gateway's paths are below, such as `/llm`; needed unless koa-mount has cut it off. @default '/' */
  readonly path?: string
}

/**
 * Serves a gateway in Koa 2 or 3: `app.use(koaGateway(gateway, { path: '/llm' }))`. Works with a body parser and without
 * one; any other path goes to `next()`. `host` of a request is Koa's `ctx`.
 */
export function koaGateway(gateway: Mountable<KoaContext>, options: KoaGatewayOptions = {}): KoaHandler {
  const prefix = mountPrefix(options.path)
  return async (context, next) => {
    const target = splitTarget(context.req.url, prefix)
    if (target === null) return void (await next())
    const request = new NodeHttpRequest(context.req, context.res, target, context, context.request.body)
    const answer = gateway.handle(request)
    if (answer === null) return void (await next())
    await respond(context, request, await answer.catch(failureAnswer))
  }
}

async function respond(context: KoaContext, request: NodeHttpRequest<KoaContext>, answer: HttpResponse): Promise<void> {
  if (isForKoa(context, answer)) {
    request.markAnswered()
    return handOver(context, answer)
  }
  // Koa would report a client that leaves a stream as an error of the app.
  context.respond = false
  // What Koa set for an earlier status is not the reason phrase of ours.
  context.res.statusMessage = ''
  await writeAnswer(request, context.req, context.res, answer)
}

/** A whole answer goes through Koa, so that middleware which compresses or tags bodies sees it. */
type WholeAnswer = HttpBodyResponse & { readonly body: string | Uint8Array }

function isForKoa(context: KoaContext, answer: HttpResponse): answer is WholeAnswer {
  if ('stream' in answer || answer.body === null || context.res.headersSent) return false
  // Koa throws on a status that it does not know, and would cut a refused upload off before the refusal is read.
  return STATUS_CODES[answer.status] !== undefined && (answer.status !== 413 || context.req.complete)
}

function handOver(context: KoaContext, answer: HttpBodyResponse): void {
  try {
    setAnswer(context, answer)
  } catch (error) {
    for (const name of Object.keys(answer.headers)) if (name !== '') context.res.removeHeader(name)
    setAnswer(context, failureAnswer(error))
  }
}

function setAnswer(context: KoaContext, { status, headers, body }: HttpBodyResponse): void {
  context.status = status
  for (const [name, value] of Object.entries(headers)) context.set(name, value)
  // Koa takes a Uint8Array that is no Buffer for JSON.
  context.body =
    body instanceof Uint8Array && !Buffer.isBuffer(body)
      ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      : body
}
