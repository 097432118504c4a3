import { createServer, type Server, type ServerResponse } from 'node:http'
import { text as readText } from 'node:stream/consumers'
import { createGateway, type Gateway, type GatewayOptions } from '../../src/index.js'
import { isObject, type JsonObject, parseJson } from '../../src/wire/json.js'
import { closeServer, listen } from './http-server.js'

/** A request that a provider's server got. */
export interface AskedRequest {
  readonly method: string
  readonly path: string
  readonly authorization: string | undefined
  /** Empty where no object came. */
  readonly body: JsonObject
  /** Which request of this server it is, from 1. */
  readonly call: number
}

/** Answers a request, or leaves it unanswered. */
export type UpstreamAnswer = (response: ServerResponse, asked: AskedRequest) => void

/** Servers in the place of providers and gateways before them, all closed together. */
export interface UpstreamLab {
  /** Starts a server; `asked` has all that it was asked so far. */
  serve(answer: UpstreamAnswer): Promise<{ readonly url: string; readonly asked: readonly AskedRequest[] }>
  start(options: GatewayOptions): Gateway
  close(): Promise<void>
}

/** Builds a lab with nothing in it: `const lab = createUpstreamLab()`, `afterEach(() => lab.close())`. */
export function createUpstreamLab(): UpstreamLab {
  const servers: Server[] = []
  const gateways: Gateway[] = []
  return {
    async serve(answer) {
      const asked: AskedRequest[] = []
      const server = createServer((request, response) => {
        void readText(request).then((text) => {
          const body = parseJson(text)
          const { method = '', url: path = '', headers } = request
          const got = { method, path, authorization: headers.authorization, body: isObject(body) ? body : {} }
          const latest = { ...got, call: asked.length + 1 }
          asked.push(latest)
          answer(response, latest)
        })
      })
      servers.push(server)
      return { url: await listen(server), asked }
    },
    start(options) {
      const gateway = createGateway(options)
      gateways.push(gateway)
      return gateway
    },
    async close() {
      await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ drainMs: 0 })))
      await Promise.all(servers.splice(0).map(closeServer))
    },
  }
}

/** Answers with JSON. */
export const answerJson =
  (body: unknown, status = 200): UpstreamAnswer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))

/** Answers in turn; the last answer again and again. */
export const inTurn =
  (...answers: readonly [UpstreamAnswer, ...UpstreamAnswer[]]): UpstreamAnswer =>
  (response, asked) =>
    answers[Math.min(asked.call, answers.length) - 1]?.(response, asked)
