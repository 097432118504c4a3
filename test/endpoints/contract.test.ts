import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createRequire } from 'node:module'
import type { Ajv2020, ValidateFunction } from 'ajv/dist/2020.js'
import type { FormatsPlugin } from 'ajv-formats'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createGateway } from '../../src/index.js'
import { mergeDocuments } from '../../src/http/openapi/document.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { type JsonObject, isObject } from '../../src/wire/json.js'
import { ChatChunk } from '../../src/wire/chat.js'
import { CompletionChunk } from '../../src/wire/completions.js'
import { type OpenAiSchema, violations } from '../oracle/openai-schema.js'
import { jsonOf } from '../support/gateway.js'
import { requestOf } from '../support/http-request.js'
import { type ApiAnswer, type ApiClient, masterKey, startApi } from './api-client.js'
import { type Operation, contentOf, examplesOf, operationsOf, requestsOf, targetOf } from './operations.js'
import { type Step, learnt, story } from './story.js'

const document = await describeAll()
const operations = operationsOf(document)
const byName = new Map(operations.map((operation) => [operation.name, operation]))
const validatorOf = createValidators(document)

let upstream: FakeUpstream
beforeAll(async () => {
  upstream = await startFakeUpstream()
  // One of the documented answers is only given by a process that can collect garbage.
  setFlagsFromString('--expose-gc')
  vi.stubGlobal('gc', runInNewContext('gc'))
})
afterAll(async () => {
  vi.unstubAllGlobals()
  await upstream.close()
})

/** The document of a gateway that serves all that there is. */
async function describeAll(): Promise<JsonObject> {
  const gateway = createGateway({ models: [], auth: 'none', debug: true })
  const ask = async (api: typeof gateway.admin): Promise<JsonObject> => {
    const answer = await api.handle(requestOf('GET', '/openapi.json'))
    if (!answer) throw new Error('no description')
    return jsonOf(answer)
  }
  const documents = [await ask(gateway), await ask(gateway.admin)] as const
  await gateway.close()
  return mergeDocuments(...documents, '.')
}

/** What a documented schema finds wrong with a value. Fields that it does not tell of are wrong, too. */
function createValidators(described: JsonObject): (schema: unknown, value: unknown) => readonly string[] {
  const load = createRequire(import.meta.url)
  const { Ajv2020: Validator } = load('ajv/dist/2020.js') as { Ajv2020: typeof Ajv2020 }
  const ajv = new Validator({ strict: false, allErrors: true })
  ;(load('ajv-formats') as FormatsPlugin)(ajv)
  ajv.addSchema({ $id: 'document', components: closed(described['components']) })
  const compiled = new Map<string, ValidateFunction>()
  return (schema, value) => {
    const text = JSON.stringify(closed(schema)).replaceAll('"#/components/', '"document#/components/')
    const validate = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object)
    compiled.set(text, validate)
    if (validate(value)) return []
    return (validate.errors ?? []).map(
      (error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`,
    )
  }
}

function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (!isObject(value)) return value
  const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]))
  return isObject(value['properties']) ? { additionalProperties: false, ...copy } : copy
}

async function sendExample(client: ApiClient, [name, example, key]: Step): Promise<ApiAnswer> {
  const operation = byName.get(name)
  const request = operation && requestsOf(operation).get(example)
  if (!operation || !request) throw new Error(`story.ts: ${name} has no example '${example}'`)
  const params = { ...request.params, ...(await learnt[operation.main]?.(client)) }
  return client.send(operation.method, targetOf(operation, { ...request, params }), request.body, key)
}

/** A new gateway that was told the story, up to an example that is in it; what only looks shares one. */
async function withStory<Result>(upTo: Step, use: (client: ApiClient) => Promise<Result>): Promise<Result> {
  const own = byName.get(upTo[0])?.main
  if (own?.startsWith('GET ')) return use(await (onlyLooked ??= startStory(story)))
  const end = story.findIndex(([name]) => name === own)
  const client = await startStory(end === -1 ? story : story.slice(0, end))
  try {
    return await use(client)
  } finally {
    await client.close()
  }
}

let onlyLooked: Promise<ApiClient> | undefined
afterAll(async () => (await onlyLooked)?.close())

async function startStory(part: readonly Step[]): Promise<ApiClient> {
  const client = await startApi(upstream)
  for (const step of part) {
    const { status, text } = await sendExample(client, step)
    if (status !== 200) throw new Error(`${step.join(' ')}: ${status} ${text}`)
  }
  return client
}

const steps = operations.flatMap((operation) =>
  [...requestsOf(operation).keys()].map((name) => [operation.name, name] as const),
)

describe('every operation', () => {
  it.each(operations.map(({ name }) => name))('%s has an example and tells what it answers', (name) => {
    const operation = byName.get(name)
    const { schema } = contentOf(operation?.responses[200], 'application/json')
    const missing = `${name}: give the route \`examples\` and \`response\`, see src/endpoints/index.ts`
    expect(operation && requestsOf(operation).size, missing).toBeGreaterThan(0)
    expect(Object.keys(isObject(schema) ? schema : {}), missing).not.toEqual([])
    // A name that the path holds has a value in each example.
    const names = operation?.parameters.filter((parameter) => parameter.in === 'path') ?? []
    for (const parameter of names)
      expect(Object.keys(examplesOf(parameter)), `${name}: ${parameter.name}`).not.toEqual([])
  })

  it('is known to the story, where that names it', () => {
    const known = new Set(steps.map((step) => step.join(' ')))
    expect(story.filter(([name, example]) => !known.has(`${name} ${example}`))).toEqual([])
    expect(Object.keys(learnt).filter((name) => !byName.has(name))).toEqual([])
  })
})

describe('every documented request', () => {
  it.each(steps)('%s, %s: is answered as documented', async (name, example) => {
    const answer = await withStory([name, example], (client) => sendExample(client, [name, example]))
    expect(answer.status, answer.text).toBe(200)
    const response = byName.get(name)?.responses[200]
    const shown = examplesOf(contentOf(response, answer.type))
    expect(Object.keys(shown), `${answer.type} is not what the example shows`).toContain(example)
    if (answer.type === 'text/event-stream') return expectEvents(name, answer.text, String(shown[example]))
    const { schema } = contentOf(response, 'application/json')
    expect(validatorOf(schema, answer.body), answer.text).toEqual([])
    expect(validatorOf(schema, shown[example]), 'the example of the answer').toEqual([])
    if (name.startsWith('GET ')) expectFilled(`${name} ${example}`, answer.body)
    const openAi = openAiAnswers[name]
    if (openAi) for (const body of [answer.body, shown[example]]) expect(violations(openAi, body)).toEqual([])
  })
})

/** An empty list would fit any schema. The story has no failures; a customer's only list is that of its models. */
const mayBeEmpty: ReadonlySet<string> = new Set([
  'GET /calls refused',
  // Guardrails, hooks and prompts of a gateway that has none.
  'GET /settings all',
  'GET /spend/logs/v2 failures',
  'GET /customer/info one',
  'GET /end_user/info one',
])

function expectFilled(name: string, body: unknown): void {
  const lists = (isObject(body) ? Object.values(body) : [body]).filter(Array.isArray)
  if (lists.length > 0 && !mayBeEmpty.has(name)) expect(lists.flat(), 'nothing is listed').not.toEqual([])
}

const openAiAnswers: Readonly<Record<string, OpenAiSchema>> = {
  'POST /v1/chat/completions': 'CreateChatCompletionResponse',
  'POST /v1/completions': 'CreateCompletionResponse',
  'POST /v1/embeddings': 'CreateEmbeddingResponse',
  'POST /v1/images/generations': 'ImagesResponse',
  'GET /v1/models': 'ListModelsResponse',
  'GET /v1/models/{id}': 'Model',
}

function expectEvents(name: string, ...streams: readonly string[]): void {
  for (const text of streams) {
    const events = [...text.matchAll(/^data: (.*)$/gm)].map(([, data = '']) => data)
    expect(events.pop()).toBe('[DONE]')
    expect(events.length).toBeGreaterThan(1)
    for (const event of events) {
      const chunk: unknown = JSON.parse(event)
      const isChat = name.includes('chat')
      expect((isChat ? ChatChunk : CompletionChunk).safeParse(chunk).error).toBeUndefined()
      if (isChat) expect(violations('CreateChatCompletionStreamResponse', chunk)).toEqual([])
    }
  }
}

describe('every documented failure', () => {
  let client: ApiClient
  let member: string
  beforeAll(async () => {
    client = await startApi(upstream)
    const { body } = await client.send('POST', '/key/generate', { models: ['demo'] })
    member = String((body as JsonObject)['key'])
  })
  afterAll(() => client.close())

  const documented = (operation: Operation, status: number): Readonly<Record<string, unknown>> => {
    const shown = isObject(document['components']) ? document['components']['examples'] : {}
    const names = Object.keys(examplesOf(contentOf(operation.responses[status], 'application/json')))
    return Object.fromEntries(names.map((name) => [name, (shown as Record<string, JsonObject>)[name]?.['value']]))
  }
  const expectDocumented = (operation: Operation, answer: ApiAnswer): void => {
    const { schema } = contentOf(operation.responses[answer.status], 'application/json')
    expect(schema, `${answer.status} ${answer.text}`).toBeDefined()
    expect(validatorOf(schema, answer.body)).toEqual([])
  }
  const send = (operation: Operation, body: JsonObject | undefined, key = masterKey): Promise<ApiAnswer> => {
    const request = [...requestsOf(operation).values()][0]
    if (!request) throw new Error(`${operation.name} has no example`)
    return client.send(operation.method, targetOf(operation, request), body, key)
  }
  const named = (matches: (operation: Operation) => boolean): readonly (readonly [string, Operation])[] =>
    operations.filter(matches).map((operation) => [operation.name, operation])

  it.each(named(({ isPublic }) => !isPublic))('%s: 401 without a credential, word for word', async (_, operation) => {
    const answer = await send(operation, operation.hasBody ? {} : undefined, '')
    expect([answer.status, answer.body]).toEqual([401, documented(operation, 401)['authentication']])
  })

  it.each(named(({ isPublic }) => isPublic))('%s: 405 for another method, word for word', async (_, operation) => {
    const answer = await client.send('PUT', operation.path)
    expect([answer.status, answer.body]).toEqual([405, documented(operation, 405)['method_not_allowed']])
  })

  it.each(named(({ hasBody }) => hasBody))('%s: 400 for a body that is wrong', async (_, operation) => {
    const answer = await send(operation, { nonsense: true })
    expect(answer.status).toBe(400)
    expectDocumented(operation, answer)
  })

  it.each(named(({ isPublic }) => !isPublic))('%s: what a key of nobody gets is documented', async (_, operation) => {
    const request = [...requestsOf(operation).values()][0]
    const answer = await send(operation, request?.body, member)
    expectDocumented(operation, answer)
  })

  it.each(named(({ isPublic }) => !isPublic))('%s: where nothing that it names exists', async (_, operation) => {
    const request = [...requestsOf(operation).values()][0]
    const answer = await send(operation, request?.body)
    expectDocumented(operation, answer)
  })
})
