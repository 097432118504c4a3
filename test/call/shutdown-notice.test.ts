import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Gateway, createGateway, defineProvider } from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'

let upstream: FakeUpstream
const gateways: Gateway[] = []

beforeAll(async () => {
  upstream = await startFakeUpstream()
})

afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.close({ drainMs: 0 })))
  await upstream.close()
})

const dayMs = 24 * 60 * 60 * 1_000

/** What a call to OpenAI is told on a day, at its default address or at another one that serves the same. */
async function messageOf(model: string, day: string, fault: string, baseUrl?: string): Promise<string> {
  const openai = defineProvider({
    name: 'openai',
    displayName: 'OpenAI',
    baseUrl: `${upstream.url}/v1`,
    apiKeyRequired: false,
  })
  const clock = {
    now: () => Date.parse(day) + dayMs / 2,
    setTimeout: (callback: () => void, milliseconds: number) => {
      const timer = setTimeout(callback, milliseconds)
      return { cancel: () => clearTimeout(timer) }
    },
  }
  const gateway = createGateway({
    models: [{ modelName: 'x', model: `openai/${model}`, apiKey: 'sk-x', ...(baseUrl !== undefined && { baseUrl }) }],
    auth: 'none',
    providers: [openai],
    retries: 0,
    env: {},
    clock,
  })
  gateways.push(gateway)
  upstream.script(fault)
  const call = gateway.call('chat', { model: 'x', messages: [{ role: 'user', content: 'x' }] }, anyCaller)
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Error)) throw new Error('the call was answered')
  return error.message
}

const notice = 'OpenAI shut down the model gpt-4 on 2026-10-23.'

describe('withShutdownNotice', () => {
  it.each(['status-404', 'status-410'])(
    'tells the date where the provider answers %s for a model that has ended',
    async (fault) => {
      expect(await messageOf('gpt-4', '2026-10-24', fault)).toContain(notice)
    },
  )

  it.each([
    ['before that day', 'gpt-4', '2026-10-22', 'status-404'],
    ['of a model that has no date', 'gpt-5.2', '2026-10-24', 'status-404'],
    ['for another failure', 'gpt-4', '2026-10-24', 'status-400'],
  ])('tells nothing %s', async (_, model, day, fault) => {
    expect(await messageOf(model, day, fault)).not.toContain('shut down')
  })

  it('tells nothing of an address of the host’s own', async () => {
    expect(await messageOf('gpt-4', '2026-10-24', 'status-404', `${upstream.url}/v1`)).not.toContain('shut down')
  })
})
