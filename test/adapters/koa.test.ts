import Router from '@koa/router'
import helmet from 'helmet'
import Koa from 'koa'
import type { Middleware } from 'koa'
import { json as readJson } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { koaGateway } from '../../adapters/koa.js'
import type { KoaContext } from '../../adapters/koa.js'
import type { HttpRequest } from '../../src/http/message.js'
import { eventStream, fakeGateway, FedStream, json } from '../contracts/fake-gateway.js'
import type { FakeRoute } from '../contracts/fake-gateway.js'
import { open, responseOf, send, sendJson, until } from '../contracts/http-client.js'
import { describeHttpContract } from '../contracts/http-contract.js'
import type { HostServer } from '../contracts/http-contract.js'
import { koa2, listen } from './hosts.js'

const versions = { 'Koa 2': koa2, 'Koa 3': Koa }
const features = { mounts: ['/', '/llm', '/outer/llm'], parsesBody: true, compresses: false } as const

const answerAsHost: Middleware = (context) => {
  context.status = 418
  context.body = `host: ${context.originalUrl}`
}

/** Leaves `{}` where there is no JSON, as koa-bodyparser does. */
const bodyParser: Middleware = async (context, next) => {
  const body: unknown = context.request.type === 'application/json' ? await readJson(context.req) : {}
  Object.assign(context.request, { body })
  await next()
}

for (const [name, Framework] of Object.entries(versions)) {
  describeHttpContract(name, features, (gateway, { mount, parsesBody }) => {
    const app = new Framework()
    // Koa reports every reset connection.
    app.silent = true
    if (parsesBody) app.use(bodyParser)
    app.use(koaGateway(gateway, { path: mount }))
    app.use(answerAsHost)
    return listen(app.callback(), mount)
  })

  describe(`${name}: hosts`, () => {
    let server: HostServer | undefined
    const errors: unknown[] = []
    afterEach(async () => {
      await server?.close()
      errors.length = 0
    })
    const start = async (middleware: readonly Middleware[]): Promise<string> => {
      const app = new Framework()
      app.on('error', (error) => errors.push(error))
      for (const each of middleware) app.use(each)
      app.use(answerAsHost)
      server = await listen(app.callback(), '/')
      return server.url
    }
    const gatewayOf = (route: FakeRoute): Middleware => koaGateway(fakeGateway({ '/v1/x': route }), { path: '/llm' })

    it('works inside a router with a prefix', async () => {
      const router = new Router({ prefix: '/llm' })
      router.all(
        '/{*path}',
        gatewayOf(async (request) => json(200, await request.json(1000))),
      )
      const app = new Framework()
      app.use(router.routes())
      app.use(answerAsHost)
      server = await listen(app.callback(), '/')
      const { url } = server
      expect(await sendJson(`${url}/llm/v1/x`, { a: 1 })).toMatchObject({ status: 200, body: '{"a":1}' })
      expect(await send(`${url}/llm/v1/y`)).toMatchObject({ status: 418 })
    })

    it('works where a mount has cut the path', async () => {
      const mounted = koaGateway(fakeGateway({ '/v1/x': () => json(200, 'mounted') }))
      const mount: Middleware = async (context, next) => {
        context.path = context.path.replace('/outer', '')
        await mounted(context, next)
      }
      const url = await start([mount])
      expect(await send(`${url}/outer/v1/x?a=1`)).toMatchObject({ status: 200, body: '"mounted"' })
    })

    it('keeps the headers of earlier middleware, and shows the answer to it afterwards', async () => {
      const seen: unknown[] = []
      const around: Middleware = async (context, next) => {
        context.set('access-control-allow-origin', 'https://app.example')
        await new Promise<void>((resolve) => helmet()(context.req, context.res, () => resolve()))
        await next()
        seen.push(context.status, context.body)
        context.set('x-response-time', '1ms')
      }
      const url = await start([around, gatewayOf(() => json(200, {}))])
      const reply = await send(`${url}/llm/v1/x`)
      expect(reply.headers).toMatchObject({
        'access-control-allow-origin': 'https://app.example',
        'content-type': 'application/json',
        'x-response-time': '1ms',
      })
      expect(reply.headers['content-security-policy']).toContain("default-src 'self'")
      expect(seen).toEqual([200, '{}'])
    })

    it('keeps the headers of earlier middleware on a stream, and waits for its end', async () => {
      const stream = new FedStream()
      const order: string[] = []
      const around: Middleware = async (context, next) => {
        context.set('access-control-allow-origin', 'https://app.example')
        context.status = 200
        await next()
        order.push('after')
      }
      const url = await start([around, gatewayOf(() => ({ ...eventStream(stream), status: 203 }))])
      stream.feed('data: 0\n\n')
      const request = open(`${url}/llm/v1/x`)
      const responding = responseOf(request)
      request.end()
      const response = await responding
      expect(response.statusMessage).toBe('Non-Authoritative Information')
      expect(response.headers['access-control-allow-origin']).toBe('https://app.example')
      expect(order).toEqual([])
      stream.end()
      response.resume()
      await until(() => order.length === 1)
    })

    it('reports no error to the app when a client leaves a stream', async () => {
      const stream = new FedStream()
      const url = await start([gatewayOf(() => eventStream(stream))])
      stream.feed('data: 0\n\n')
      const request = open(`${url}/llm/v1/x`)
      const responding = responseOf(request)
      request.end()
      await responding
      request.destroy()
      await until(() => stream.returnedAt !== undefined)
      expect(errors).toEqual([])
    })

    it("gives the gateway Koa's context", async () => {
      const seen: unknown[] = []
      const login: Middleware = async (context, next) => {
        context.state.user = 'u1'
        await next()
      }
      const route: FakeRoute = (request) => {
        const { host } = request as HttpRequest<KoaContext & { state: { user?: string } }>
        seen.push(host.state.user)
        return json(200, {})
      }
      await send(`${await start([login, gatewayOf(route)])}/llm/v1/x`)
      expect(seen).toEqual(['u1'])
    })
  })
}
