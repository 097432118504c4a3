import { describe, expect, it } from 'vitest'
import { createRegistry } from '../../../src/providers/registry.js'
import { azure } from '../../../src/providers/azure/index.js'
import { createDeployment } from '../../../src/providers/create-deployment.js'
import { resolveTarget } from '../../../src/providers/target.js'
import type { Deployment } from '../../../src/deployment.js'
import type { Exchange } from '../../../src/protocols/protocol.js'
import { ChatRequest } from '../../../src/wire/chat.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { deploymentOf } from '../deployments.js'

const tool = { type: 'function', function: { name: 'f' } }
const jsonSchema = { type: 'json_schema', json_schema: { name: 's', schema: { type: 'object' } } }

function exchangeOf(fields: JsonObject, changes: Partial<Deployment>): Exchange<'chat'> {
  const request = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'hi' }], ...fields })
  const deployment = deploymentOf({ provider: 'azure', baseUrl: 'https://r.openai.azure.com', ...changes })
  return { request, deployment, id: 'i'.repeat(24), created: 1 }
}

function encode(fields: JsonObject, changes: Partial<Deployment>) {
  const sent = azure.protocol.codecs.chat?.encode(exchangeOf(fields, changes))
  return { path: sent?.path, body: JSON.parse(String(sent?.body)) as JsonObject }
}

describe('a request to Azure', () => {
  it("follows the rules of the deployment's base model, under the deployment's name", () => {
    const { body } = encode({ max_tokens: 5 }, { model: 'prod', info: { base_model: 'azure/gpt-5-mini' } })
    expect(body).toMatchObject({ model: 'prod', max_completion_tokens: 5 })
    expect(encode({ max_tokens: 5 }, { model: 'prod' }).body).toMatchObject({ model: 'prod', max_tokens: 5 })
    expect(encode({ max_tokens: 5 }, { model: 'gpt-35-turbo' }).body).toMatchObject({ max_tokens: 5 })
    expect(encode({ max_tokens: 5 }, { model: 'o_series/prod' }).body).toMatchObject({ max_completion_tokens: 5 })
    expect(encode({ max_tokens: 5 }, { model: 'gpt5_series/prod' }).body).toMatchObject({ model: 'prod' })
  })

  it('goes over the Responses API where the chat endpoint would refuse it', () => {
    const fields = { tools: [tool], reasoning_effort: 'low' }
    const { path, body } = encode(fields, { model: 'prod', info: { base_model: 'gpt-5.5' } })
    expect(path).toBe('/openai/v1/responses')
    expect(body).toMatchObject({ model: 'prod', store: false, include: ['reasoning.encrypted_content'] })
    expect(encode(fields, { model: 'prod' }).path).toBe('/openai/v1/chat/completions')
    expect(encode({}, { model: 'responses/prod' }).body).toMatchObject({ model: 'prod' })
  })

  it('asks older versions only for what they know', () => {
    const fields = { stream: true, response_format: jsonSchema, tools: [tool], tool_choice: 'required' }
    const of = (apiVersion: string) => encode(fields, { model: 'gpt-4o', apiVersion }).body
    expect(of('2024-10-21')).toMatchObject({ response_format: jsonSchema, stream_options: { include_usage: true } })
    expect(of('2024-08-01-preview')).toMatchObject({ response_format: jsonSchema })
    expect(of('2024-08-01-preview')).not.toHaveProperty('stream_options')
    expect(of('2024-07-01-preview')).not.toHaveProperty('response_format')
    expect(of('2024-07-01-preview')).toMatchObject({ tool_choice: 'required' })
    expect(of('2024-02-01')['tool_choice']).not.toBe('required')
  })
})

describe('what Azure answers', () => {
  const chunk = (fields: JsonObject) => ({
    event: '',
    data: JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'gpt-4o', ...fields }),
    frame: undefined,
  })

  it('may begin with the filter of the prompt and end with one of the text', () => {
    const decoder = azure.protocol.codecs.chat?.decodeStream?.(exchangeOf({ stream: true }, { model: 'gpt-4o' }))
    const parts = [
      chunk({
        id: '',
        model: '',
        choices: [],
        prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }],
      }),
      chunk({ choices: [{ index: 0, delta: { role: 'assistant', content: 'hi' }, finish_reason: null }] }),
      chunk({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }),
      chunk({ choices: [{ index: 0, finish_reason: null, content_filter_offsets: {}, content_filter_results: {} }] }),
    ].flatMap((event) => decoder?.push(event) ?? [])
    const choices = [...parts, ...(decoder?.end() ?? [])].flatMap(({ chunk: one }) => one?.choices ?? [])
    expect(choices.map(({ delta }) => delta.content ?? '').join('')).toBe('hi')
    expect(choices.filter(({ finish_reason }) => finish_reason !== null)).toHaveLength(1)
    expect(choices.every(({ delta }) => typeof delta === 'object')).toBe(true)
  })

  it('is a content policy error where the filter stopped the prompt', () => {
    const error = {
      message: "The response was filtered due to the prompt triggering Azure OpenAI's content management policy.",
      code: 'content_filter',
      status: 400,
      innererror: { code: 'ResponsibleAIPolicyViolation', content_filter_result: {} },
    }
    expect(azure.protocol.failure(400, { error })).toMatchObject({ kind: 'content_policy', code: 'content_filter' })
  })

  it('is an authentication error without OpenAI’s members', () => {
    const body = { statusCode: 401, message: 'Unauthorized. Access token is missing.' }
    expect(azure.protocol.failure(401, body)).toMatchObject({ kind: 'upstream_authentication', message: body.message })
  })
})

describe('the address of an Azure deployment', () => {
  const context = {
    registry: createRegistry([]),
    env: { AZURE_RESOURCE_NAME: 'res-1', AZURE_API_KEY: 'k', AZURE_API_VERSION: '2024-10-21' },
    defaults: { timeouts: { connect: 0, headers: 0, firstToken: 0, idle: 0, total: 0 }, dropParams: false },
  }

  it('comes from the name of the resource', () => {
    const deployment = createDeployment({ modelName: 'm', model: 'azure/prod' }, context)
    expect(resolveTarget(azure, deployment)).toEqual({ origin: 'https://res-1.openai.azure.com', basePath: '' })
    expect(azure.protocol.codecs.chat?.encode({ ...exchangeOf({}, {}), deployment }).path).toContain(
      'api-version=2024-10-21',
    )
  })

  it('is missed where neither it nor a base URL is set', () => {
    const deployment = createDeployment({ modelName: 'm', model: 'azure/prod' }, { ...context, env: {} })
    expect(() => resolveTarget(azure, deployment)).toThrow(/AZURE_API_BASE/)
  })

  it('loses the endpoint that users paste', () => {
    const baseUrl = 'https://r.openai.azure.com/openai/v1/chat/completions'
    expect(createDeployment({ modelName: 'm', model: 'azure/prod', baseUrl }, context).baseUrl).toBe(
      'https://r.openai.azure.com/openai/v1',
    )
  })
})
