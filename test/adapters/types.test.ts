import Router from '@koa/router'
import express from 'express'
import Koa from 'koa'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import OpenAI from 'openai'
import { describe, expect, it } from 'vitest'
import { expressGateway } from '../../adapters/express.js'
import { fetchGateway, gatewayFetch } from '../../adapters/fetch.js'
import { koaGateway } from '../../adapters/koa.js'
import { nodeGateway, wrapServer } from '../../adapters/node.js'
import type { Gateway } from '../../src/gateway.js'
import { fakeGateway } from '../contracts/fake-gateway.js'

// That this file compiles is the test: what hosts write is accepted by the frameworks' own types.
describe('adapter types', () => {
  const gateway = fakeGateway({})
  const forExpress: Gateway<express.Request> = gateway
  const forKoa: Gateway<Koa.Context> = gateway

  it('fit real Express apps and routers', () => {
    const app = express()
    const router = express.Router()
    app.use(expressGateway(gateway))
    app.use('/llm', (_request, _response, next) => next(), expressGateway(forExpress))
    router.use('/llm', expressGateway(forExpress))
    app.post('/llm/*path', expressGateway(forExpress))
    app.use('/node', nodeGateway(gateway))
    expect(createServer(wrapServer(gateway, app, { path: '/llm' })).listening).toBe(false)
  })

  it('fit real Koa apps and routers', () => {
    const app = new Koa<{ user: string }>()
    const router = new Router()
    app.use(koaGateway(gateway))
    app.use(koaGateway(forKoa, { path: '/llm' }))
    router.all('/llm/{*path}', koaGateway(forKoa))
    expect(createServer(wrapServer(gateway, app.callback())).listening).toBe(false)
  })

  it('fit node, fetch handlers and SDKs', () => {
    const handler: (request: Request) => Promise<Response> = fetchGateway(gateway)
    const caller = { id: 'u', role: 'member', models: 'all', scopes: [] } as const
    const client = new OpenAI({ apiKey: 'unused', fetch: gatewayFetch(forExpress, caller) })
    expect(createServer(nodeGateway(gateway)).listening).toBe(false)
    expect([typeof handler, typeof client]).toEqual(['function', 'object'])
  })

  it('refuse a gateway that was written for another framework', () => {
    // @ts-expect-error Express has no Koa context to give to its `auth`.
    expressGateway(forKoa)
    // @ts-expect-error Koa has no Express request to give to its `auth`.
    koaGateway(forExpress)
  })

  it('import no framework', () => {
    const directory = new URL('../../adapters/', import.meta.url)
    const files = readdirSync(directory).filter((file) =>
      /^(?:node|express|koa|fetch|mount|json-body|failure)/.test(file),
    )
    expect(files.length).toBeGreaterThan(8)
    for (const file of files) {
      const imports = [...readFileSync(new URL(file, directory), 'utf8').matchAll(/from '([^']+)'/g)]
      expect(imports.map(([, name]) => name).filter((name) => !/^(?:node:|\.\.?\/)/.test(name ?? ''))).toEqual([])
    }
  })
})
