import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromLiteLLMConfig } from '../../src/config/index.js'
import { createGateway } from '../../src/index.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'

let upstream: FakeUpstream

beforeAll(async () => {
  upstream = await startFakeUpstream()
})

afterAll(() => upstream.close())

const request = { model: 'main', messages: [{ role: 'user' as const, content: 'one two three four five' }] }

/** A gateway of a file whose deployments are asked in turn. */
function start(models: readonly string[], settings: object) {
  const entries = models.map((model, order) => ({
    model_name: 'main',
    litellm_params: { model: `openai/${model}`, api_base: `${upstream.url}/v1`, api_key: 'k', order },
  }))
  const { options } = fromLiteLLMConfig({ model_list: entries, ...settings }, { env: {} })
  return createGateway({ ...options, auth: 'none' })
}

describe('timeout of a LiteLLM file', () => {
  it.each([{ router_settings: { timeout: 0.2 } }, { litellm_settings: { request_timeout: 0.2 } }])(
    'is one attempt’s, so that another deployment answers: %j',
    async (settings) => {
      const gateway = start(['hang', 'fine'], settings)
      const answer = await gateway.call('chat', request, anyCaller)
      expect(answer).toMatchObject({ model: 'fine' })
      await gateway.close({ drainMs: 0 })
    },
  )

  it('cuts no stream that goes on', async () => {
    const gateway = start(['trickle-60ms'], { router_settings: { timeout: 0.2 } })
    const finishes: unknown[] = []
    for await (const { choices } of gateway.stream('chat', request, anyCaller)) finishes.push(choices[0]?.finish_reason)
    expect(finishes.length).toBeGreaterThan(4)
    expect(finishes).toContain('stop')
    await gateway.close({ drainMs: 0 })
  })

  it('leaves a call the time of all its attempts', () => {
    const timeoutsOf = (timeout: number) =>
      fromLiteLLMConfig(
        { model_list: [{ model_name: 'a', litellm_params: { model: 'openai/a', api_key: 'k', timeout } }] },
        { env: {} },
      ).options.models[0]?.timeouts
    expect(timeoutsOf(60)).toEqual({ headers: 60_000, firstToken: 60_000 })
    expect(timeoutsOf(900)).toEqual({ headers: 900_000, firstToken: 900_000, total: 5_400_000 })
  })
})
