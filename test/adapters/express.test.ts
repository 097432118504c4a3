import type { RequestHandler } from 'express'
import express from 'express'
import helmet from 'helmet'
import { afterEach, describe, expect, it } from 'vitest'
import { expressGateway } from '../../adapters/express.js'
import type { ExpressRequest } from '../../adapters/express.js'
import type { HttpRequest } from '../../src/http/message.js'
import { eventStream, fakeGateway, FedStream, json } from '../contracts/fake-gateway.js'
import type { FakeRoute } from '../contracts/fake-gateway.js'
import { describeHttpContract } from '../contracts/http-contract.js'
import type { HostServer } from '../contracts/http-contract.js'
import { send, sendJson, until } from '../contracts/http-client.js'
import { express4, expressHost, listen } from './hosts.js'

const versions = { 'Express 4': express4, 'Express 5': express }
const features = { mounts: ['/', '/llm', '/outer/llm'], parsesBody: true, compresses: true } as const

for (const [name, create] of Object.entries(versions)) {
  describeHttpContract(name, { ...features, mountTakesSlash: create === express4 }, (gateway, settings) =>
    listen(expressHost(create, expressGateway(gateway), settings), settings.mount),
  )

  describe(`${name}: hosts`, () => {
    let server: HostServer | undefined
    afterEach(() => server?.close())
    const start = async (before: readonly RequestHandler[], route: FakeRoute): Promise<string> => {
      const app = create()
      for (const handler of before) app.use(handler)
      app.use('/llm', expressGateway(fakeGateway({ '/v1/x': route })))
      server = await listen(app, '/llm')
      return `${server.url}/v1/x`
    }
    const echo: FakeRoute = async (request) => json(200, await request.json(1000))

    const parsers: Record<string, RequestHandler> = {
      'express.raw()': create.raw({ type: '*/*' }),
      'express.text()': create.text({ type: '*/*' }),
      'express.urlencoded()': create.urlencoded({ extended: true }),
    }
    for (const [parser, handler] of Object.entries(parsers)) {
      it(`reads a JSON body behind ${parser}`, async () => {
        const url = await start([handler], echo)
        expect(await sendJson(url, { a: 'é' })).toMatchObject({ status: 200, body: '{"a":"é"}' })
      })
    }

    it('refuses a form that the host parsed, because any page may post one', async () => {
      const url = await start([create.urlencoded({ extended: true })], echo)
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      expect((await send(url, { headers, body: 'model=m' })).status).toBe(415)
    })

    it('refuses raw bytes of the host above the limit', async () => {
      const url = await start([create.raw({ type: '*/*' })], echo)
      expect((await sendJson(url, 'x'.repeat(1000))).status).toBe(413)
    })

    it('tells the host that its middleware swallowed the body, instead of waiting for it', async () => {
      const swallow: RequestHandler = (request, _response, next) => {
        request.on('data', () => {}).on('end', next)
      }
      const url = await start([swallow], echo)
      const reply = await sendJson(url, { a: 1 })
      expect(reply.status).toBe(500)
      expect(reply.body).toContain('was read before the gateway')
    })

    it('keeps the headers that helmet and CORS middleware set', async () => {
      const cors: RequestHandler = (_request, response, next) => {
        response.setHeader('access-control-allow-origin', 'https://app.example')
        next()
      }
      const url = await start([helmet(), cors], () => json(200, {}))
      const reply = await send(url)
      expect(reply.headers['access-control-allow-origin']).toBe('https://app.example')
      expect(reply.headers['content-security-policy']).toContain("default-src 'self'")
    })

    it("gives the gateway Express's request", async () => {
      const seen: unknown[] = []
      const login: RequestHandler = (request, _response, next) => {
        Object.assign(request, { user: 'u1' })
        next()
      }
      const url = await start([login], (request) => {
        const { host } = request as HttpRequest<ExpressRequest & { user?: string; baseUrl?: string }>
        seen.push(host.user, host.baseUrl)
        return json(200, {})
      })
      await send(url)
      expect(seen).toEqual(['u1', '/llm'])
    })

    it('ends a call that middleware of the host has answered in its place', async () => {
      const stream = new FedStream()
      const signals: AbortSignal[] = []
      const giveUp: RequestHandler = (_request, response, next) => {
        setTimeout(() => response.status(503).end('too slow'), 30)
        next()
      }
      const url = await start([giveUp], (request) => {
        signals.push(request.signal)
        return eventStream(stream)
      })
      expect(await send(url)).toMatchObject({ status: 503, body: 'too slow' })
      await until(() => stream.returnedAt !== undefined)
      expect(signals.map((signal) => signal.aborted)).toEqual([true])
      stream.feed('data: late\n\n')
    })
  })
}
