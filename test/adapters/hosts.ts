import { createServer } from 'node:http'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { RequestHandler } from 'express'
import express from 'express'
import Koa from 'koa'
import type { HostListener } from '../../adapters/node.js'
import type { HostServer, HostSettings } from '../contracts/http-contract.js'

// Neither brings types of its own; the older versions have the types of the newer as far as they are used here.
const require = createRequire(import.meta.url)
export const express4: typeof express = require('express4')
export const koa2: typeof Koa = require('koa2')
export const compression: () => RequestHandler = require('compression')

/** Listens on a free port of this machine. */
export async function listen(listener: HostListener | Server, mount: string): Promise<HostServer> {
  const server = typeof listener === 'function' ? createServer((...both) => void listener(...both)) : listener
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The server has no port.')
  const origin = `http://127.0.0.1:${address.port}`
  return {
    origin,
    url: mount === '/' ? origin : origin + mount,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** What a host answers where the gateway does not. */
export function answerAsHost(request: IncomingMessage & { originalUrl?: string }, response: ServerResponse): void {
  response.writeHead(418, { 'content-type': 'text/plain' })
  response.end(`host: ${request.originalUrl ?? request.url}`)
}

/** An Express app around gateway middleware, as the contract wants it. */
export function expressHost(
  create: typeof express,
  handler: RequestHandler,
  { mount, parsesBody, compresses }: HostSettings,
): express.Express {
  const app = create()
  if (compresses) app.use(compression())
  if (parsesBody) app.use(create.json({ limit: '30mb' }))
  if (mount === '/outer/llm') {
    const router = create.Router()
    router.use('/llm', handler)
    app.use('/outer', router)
  } else {
    app.use(mount, handler)
  }
  app.use(answerAsHost)
  return app
}
