import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import type { AuthorizeContext } from '../../src/providers/provider.js'
import { watsonx, watsonxText } from '../../src/providers/watsonx.js'
import { Secret } from '../../src/secret.js'
import type { JsonObject } from '../../src/wire/json.js'
import { gather } from '../protocols/openai/exchange.js'
import { codecIn, encode as encodeWith, exchange, stream } from '../protocols/further-exchange.js'
import { deploymentOf, noTokens, requestOf } from './deployments.js'

const chat = codecIn(watsonx.protocol, 'chat')
const deployment = { provider: 'watsonx', model: 'ibm/granite-4', settings: { projectId: 'project-1' } }

/** What the chat endpoint refuses: another name of the model, a switch for streams, and what its tools do not know. */
function check(body: JsonObject): JsonObject {
  const foreign = ['model', 'stream', 'stream_options'].filter((name) => name in body)
  if (foreign.length > 0) throw new Error(`unknown: ${foreign.join()}`)
  if (typeof body['tool_choice'] === 'string') throw new Error('tool_choice is an object')
  const text = JSON.stringify(body['tools'] ?? [])
  if (text.includes('"strict"') || text.includes('additionalProperties')) throw new Error('tools are too strict')
  return body
}

const bodyOf = (fields: JsonObject, changes: Partial<Deployment> = {}) =>
  check(encodeWith(chat, 'chat', fields, { ...deployment, ...changes }).body)

describe('chat', () => {
  it('has paths for whole answers and streams', () => {
    const whole = encodeWith(chat, 'chat', {}, deployment).sent
    expect(whole.path).toBe('/ml/v1/text/chat?version=2024-05-31')
    const streamed = encodeWith(chat, 'chat', { stream: true }, deployment).sent
    expect(streamed.path).toBe('/ml/v1/text/chat_stream?version=2024-05-31')
    expect(streamed.headers['accept']).toBe('text/event-stream')
  })

  it('names model and project', () => {
    expect(bodyOf({ max_tokens: 5, time_limit: 100, stream: true, project_id: 'another' })).toEqual({
      model_id: 'ibm/granite-4',
      project_id: 'project-1',
      messages: [{ role: 'user', content: 'hi' }],
      max_tokens: 5,
      time_limit: 100,
    })
  })

  it('has a member of its own for every kind of choice among tools', () => {
    const parameters = { type: 'object', properties: {}, additionalProperties: false }
    const tools = [{ type: 'function', function: { name: 'f', strict: true, parameters } }]
    expect(bodyOf({ tools, tool_choice: 'required' })).toMatchObject({ tool_choice_option: 'required' })
    const named = { type: 'function', function: { name: 'f' } }
    expect(bodyOf({ tools, tool_choice: named })['tool_choice']).toEqual(named)
  })

  it('reads streams that have no terminator', () => {
    const chunk = (delta: object, finish: string | null = null) => ({
      id: 'chat-1',
      model_id: 'ibm/granite-4',
      created: 1,
      choices: [{ index: 0, delta, finish_reason: finish }],
    })
    const events = [
      chunk({ role: 'assistant', content: 'Hel' }),
      chunk({ content: 'lo' }),
      chunk({}, 'stop'),
      { id: 'chat-1', choices: [], usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 } },
    ]
    const chunks = stream(chat, exchange('chat', { stream: true }, deployment), events)
    expect(gather(chunks).get(0)).toMatchObject({ content: 'Hello', finishes: ['stop'] })
    expect(chunks.at(-1)?.usage?.total_tokens).toBe(3)
  })

  it('goes over text generation for watsonx_text', () => {
    const { sent } = encodeWith(codecIn(watsonxText.protocol, 'chat'), 'chat', {}, deployment)
    expect(sent.path).toMatch(/^\/ml\/v1\/text\/generation\?/)
  })
})

describe('the credential', () => {
  const authorized = async (own: Partial<Deployment>, context: AuthorizeContext = noTokens) =>
    (await watsonx.authorize(requestOf(), deploymentOf(own), context)).headers['authorization']

  it('is a token from IAM, kept per key', async () => {
    const keys: string[] = []
    const tokens = {
      forget: () => undefined,
      get: async (key: string, fetch: Parameters<AuthorizeContext['tokens']['get']>[1]) => {
        keys.push(key)
        const text = JSON.stringify({ access_token: 'tok', expires_in: 60 })
        return (await fetch(() => Promise.resolve({ status: 200, text }))).token
      },
    }
    expect(await authorized({}, { ...noTokens, tokens })).toBe('Bearer tok')
    expect(await authorized({ apiKey: new Secret('other') }, { ...noTokens, tokens })).toBe('Bearer tok')
    expect(new Set(keys).size).toBe(2)
  })

  it('may be a token or a key of Cloud Pak for Data', async () => {
    expect(await authorized({ settings: { token: new Secret('own') } })).toBe('Bearer own')
    expect(await authorized({ settings: { zenApiKey: new Secret('emVu') } })).toBe('ZenApiKey emVu')
    expect(await authorized({ headers: { authorization: 'Mine' } })).toBe('Mine')
    await expect(async () => authorized({ apiKey: undefined })).rejects.toThrow(/WATSONX_APIKEY/)
  })
})

describe('a failure', () => {
  it("keeps IBM's words", () => {
    const body = { errors: [{ code: 'model_not_supported', message: "Model 'x' is not supported" }], status_code: 404 }
    expect(watsonx.protocol.failure(404, body)).toMatchObject({
      kind: 'upstream_not_found',
      message: "Model 'x' is not supported",
    })
  })
})
