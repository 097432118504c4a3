import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { createGateway, type Gateway } from '../../src/index.js'
import { createRegistry } from '../../src/providers/registry.js'
import { isObject, type JsonObject, parseJson } from '../../src/wire/json.js'
import { anyCaller } from '../support/deployment.js'
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

interface Upstream {
  readonly url: string
  readonly seen: { readonly path: string; readonly body: JsonObject }[]
}

const servers: Server[] = []
const gateways: Gateway[] = []

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ drainMs: 0 })))
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** Answers the parts of an embedding request one after the other. */
async function startUpstream(answer: (body: JsonObject, call: number) => { status?: number; body: unknown }) {
  const seen: Upstream['seen'] = []
  const server = createServer((request, response) => {
    void readText(request).then((text) => {
      const parsed = parseJson(text)
      const body = isObject(parsed) ? parsed : {}
      seen.push({ path: request.url ?? '', body })
      const { status = 200, body: said } = answer(body, seen.length)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said))
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen }
}

function start(model: string, baseUrl: string): Gateway {
  const gateway = createGateway({
    models: [{ modelName: 'm', model, apiKey: 'sk-embed', baseUrl }],
    auth: { identify: () => anyCaller },
    retries: 0,
  })
  gateways.push(gateway)
  return gateway
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
    expect(upstream.seen.map(({ body }) => lengthOf(body['texts']))).toEqual([96, 96, 58])
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
    expect(upstream.seen.map(({ body }) => lengthOf(body['requests']))).toEqual([100, 100, 50])
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
    expect(upstream.seen.map(({ path, body }) => [path, lengthOf(body['inputs'])])).toEqual([
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
    expect(upstream.seen).toHaveLength(3)
  })
})
