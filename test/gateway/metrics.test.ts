import express from 'express'
import * as prom from 'prom-client'
import { expect, it } from 'vitest'
import { expressGateway } from '../../adapters/express.js'
import { listen } from '../adapters/hosts.js'
import { send, sendJson, until } from '../contracts/http-client.js'
import { chat, startGatewayLab } from '../support/gateway.js'

it("serves the host's own registry, with the gateway's metrics in it, as the README says", async () => {
  const lab = await startGatewayLab()
  const register = new prom.Registry()
  new prom.Counter({ name: 'host_own_total', help: "The host's", registers: [register] }).inc(3)
  const gateway = lab.start([{ modelName: 'main', model: 'fake/main' }], {
    callbacks: { sinks: [{ type: 'prometheus', client: prom, registry: register }] },
  })
  const app = express()
  app.use('/llm', expressGateway(gateway))
  app.get('/metrics', async (_, response) => void response.type(register.contentType).send(await register.metrics()))
  const server = await listen(app, '/')
  expect((await sendJson(`${server.url}/llm/v1/chat/completions`, chat('main'))).status).toBe(200)
  let text = ''
  await until(() => {
    void send(`${server.url}/metrics`, { method: 'GET' }).then(({ body }) => (text = body))
    return text.includes('sluice_requests_total{')
  })
  const { headers } = await send(`${server.url}/metrics`, { method: 'GET' })
  expect(headers['content-type']).toContain('text/plain')
  expect(text).toMatch(/sluice_requests_total\{.*model_group="main".*outcome="answered".*\} 1/)
  expect(text).toContain('host_own_total 3')
  await server.close()
  await lab.close()
})
