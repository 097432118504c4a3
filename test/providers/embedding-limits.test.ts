import { afterEach, describe, expect, it } from 'vitest'
import type { Gateway } from '../../src/index.js'
import { createRegistry } from '../../src/providers/registry.js'
import type { JsonObject } from '../../src/wire/json.js'
import { anyCaller } from '../support/deployment.js'
import { answerJson, createUpstreamLab } from '../support/upstream-lab.js'
import { deploymentOf } from './deployments.js'

const registry = createRegistry([])

function mostOf(name: string, model: string): number {
  const provider = registry.get(name)
  if (!provider) throw new Error(`no provider ${name}`)
  const deployment = deploymentOf({ provider: name, model })
  const exchange = { request: { model: 'm', input: ['a'] }, deployment, id: 'x', created: 0 }
  return provider.protocol.codecs.embeddings?.mostInputs?.(exchange) ?? Infinity
}

describe('inputs that one call takes', () => {
  it.each([
    ['openai', 'text-embedding-3-small', 2_048],
    ['azure', 'text-embedding-3-small', 2_048],
    ['azure_ai', 'embed-v-4-0', 96],
    ['azure_ai', 'text-embedding-3-large', 2_048],
    ['cohere', 'embed-v4.0', 96],
    ['gemini', 'gemini-embedding-001', 100],
    ['palm', 'embedding-gecko-001', 100],
    ['vertex_ai', 'text-embedding-005', 250],
    ['vertex_ai', 'gemini-embedding-001', 1],
    ['vertex_ai', 'gemini-embedding-2', 1],
    ['vertex_ai', 'multimodalembedding@001', 1],
    ['bedrock', 'amazon.titan-embed-text-v2:0', 1],
    ['bedrock', 'us.cohere.embed-v4:0', 96],
    ['voyage', 'voyage-3.5', 1_000],
    ['voyage', 'voyage-context-3', 1_000],
    ['jina_ai', 'jina-embeddings-v3', 512],
    ['oci', 'cohere.embed-v4.0', 96],
    ['aleph_alpha', 'luminous-base', 100],
    ['sagemaker', 'my-voyage-3', 1_000],
    ['sagemaker', 'my-bge', 32],
    ['watsonx', 'ibm/granite-embedding-278m-multilingual', 1_000],
    ['databricks', 'databricks-gte-large-en', 150],
    ['cloudflare', '@cf/baai/bge-m3', 100],
    ['dashscope', 'text-embedding-v4', 10],
    ['siliconflow', 'BAAI/bge-m3', 32],
    ['upstage', 'embedding-query', 100],
    ['perplexity', 'pplx-embed-v1', 512],
    ['huggingface', 'BAAI/bge-m3', 32],
    ['ollama', 'nomic-embed-text', Infinity],
  ])('of %s for %s are %d', (name, model, most) => {
    expect(mostOf(name, model)).toBe(most)
  })
})

const lab = createUpstreamLab()
afterEach(() => lab.close())

/** Answers the parts of an embedding request one after the other. */
function startUpstream(answer: (body: JsonObject, call: number) => { status?: number; body: unknown }) {
  return lab.serve((response, asked) => {
    const { status, body } = answer(asked.body, asked.call)
    answerJson(body, status)(response, asked)
  })
}

function start(model: string, baseUrl: string): Gateway {
  return lab.start({
    models: [{ modelName: 'm', model, apiKey: 'sk-embed', baseUrl }],
    auth: { identify: () => anyCaller },
    retries: 0,
  })
}

const lengthOf = (list: unknown): number => (Array.isArray(list) ? list.length : 0)
const texts = Array.from({ length: 250 }, (_, at) => String(at))

describe('a large batch through the gateway', () => {
  it('is split for Cohere, and comes back in order with its usage summed', async () => {
    const upstream = await startUpstream(({ texts: sent }) => ({
      body: {
        embeddings: { float: (Array.isArray(sent) ? sent : []).map((text) => [Number(text)]) },
        meta: { billed_units: { input_tokens: lengthOf(sent) } },
      },
    }))
    const gateway = start('cohere/embed-v4.0', upstream.url)
    const answer = await gateway.call('embeddings', { model: 'm', input: texts, encoding_format: 'base64' }, anyCaller)
    expect(upstream.asked.map(({ body }) => lengthOf(body['texts']))).toEqual([96, 96, 58])
    expect(answer.data.map(({ index }) => index)).toEqual(texts.map(Number))
    const values = answer.data.map(({ embedding }) => Buffer.from(String(embedding), 'base64').readFloatLE(0))
    expect(values).toEqual(texts.map(Number))
    expect(answer.usage).toEqual({ prompt_tokens: 250, total_tokens: 250 })
  })

  it('is split for Gemini', async () => {
    const upstream = await startUpstream(({ requests }) => ({
      body: { embeddings: (Array.isArray(requests) ? requests : []).map(() => ({ values: [1, 2] })) },
    }))
    const gateway = start('gemini/gemini-embedding-001', upstream.url)
    const answer = await gateway.call('embeddings', { model: 'm', input: texts }, anyCaller)
    expect(upstream.asked.map(({ body }) => lengthOf(body['requests']))).toEqual([100, 100, 50])
    expect(answer.data).toHaveLength(250)
  })

  it('is split at the path of its own that a model has', async () => {
    const upstream = await startUpstream(({ inputs }) => ({
      body: {
        object: 'list',
        data: (Array.isArray(inputs) ? inputs : []).map((_, index) => ({ data: [{ index: 0, embedding: [index] }] })),
        model: 'voyage-context-3',
        usage: { total_tokens: lengthOf(inputs) },
      },
    }))
    const gateway = start('voyage/voyage-context-3', upstream.url)
    const many = Array.from({ length: 1_001 }, () => 'a')
    const answer = await gateway.call('embeddings', { model: 'm', input: many }, anyCaller)
    expect(upstream.asked.map(({ path, body }) => [path, lengthOf(body['inputs'])])).toEqual([
      ['/contextualizedembeddings', 1_000],
      ['/contextualizedembeddings', 1],
    ])
    expect(answer.data).toHaveLength(1_001)
    expect(answer.usage).toEqual({ prompt_tokens: 1_001, total_tokens: 1_001 })
  })

  it('fails with the error of a later part', async () => {
    const upstream = await startUpstream(({ texts: sent }, call) =>
      call === 3
        ? { status: 429, body: { message: 'slow down' } }
        : { body: { embeddings: { float: (Array.isArray(sent) ? sent : []).map(() => [1]) } } },
    )
    const call = start('cohere/embed-v4.0', upstream.url).call('embeddings', { model: 'm', input: texts }, anyCaller)
    await expect(call).rejects.toMatchObject({ status: 429, message: expect.stringContaining('slow down') })
    expect(upstream.asked).toHaveLength(3)
  })
})
