import { afterAll, beforeAll, expect, it } from 'vitest'
import { defineProvider } from '../../src/index.js'
import { type GatewayLab, ask, chat, startGatewayLab } from '../support/gateway.js'

let lab: GatewayLab

beforeAll(async () => {
  lab = await startGatewayLab()
})

afterAll(() => lab.close())

it('gives a provider all that it may ask for, also where it hands a copy on to another one', async () => {
  const asked: string[] = []
  const inner = defineProvider({
    name: 'inner',
    async authorize(request, _, { url, tokens }) {
      const expiresAt = Date.now() + 3_600_000
      const token = await tokens.get('one', () => Promise.resolve({ token: `t${asked.length}`, expiresAt }))
      asked.push(`${url} ${token}`)
      return request
    },
  })
  const outer = defineProvider({
    name: 'outer',
    authorize: (request, deployment, context) => inner.authorize(request, deployment, { ...context }),
  })
  const baseUrl = `${lab.upstream.url}/v1`
  const gateway = lab.start([{ modelName: 'm', model: 'outer/m', baseUrl, apiKey: 'sk-1' }], {
    providers: [outer],
    retries: 0,
  })
  lab.upstream.script({ status: 401, body: { error: { message: 'Expired.' } } }, {})
  const { status } = await ask(gateway, 'POST', '/v1/chat/completions', chat('m'))
  expect(status).toBe(200)
  // The token that was refused is forgotten, for which it has to be known that it was used.
  expect(asked).toEqual([`${baseUrl}/chat/completions t0`, `${baseUrl}/chat/completions t1`])
})
