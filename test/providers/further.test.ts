import { describe, expect, it } from 'vitest'
import { fal } from '../../src/providers/fal.js'
import { furtherProviders } from '../../src/providers/further.js'
import { jina } from '../../src/providers/jina.js'
import { oci } from '../../src/providers/oci.js'
import { predibase } from '../../src/providers/predibase.js'
import type { Provider } from '../../src/providers/provider.js'
import { recraft } from '../../src/providers/recraft.js'
import { createRegistry } from '../../src/providers/registry.js'
import { voyage } from '../../src/providers/voyage.js'
import type { JsonObject } from '../../src/wire/json.js'
import type { Operation } from '../../src/wire/operations.js'
import { codecIn, encode, exchange, stream, thrownBy } from '../protocols/further-exchange.js'
import { deploymentOf, noTokens, requestOf } from './deployments.js'

const registry = createRegistry([])

function ask(provider: Provider | undefined, operation: Operation, fields: JsonObject, changes = {}) {
  if (!provider) throw new Error('no such provider')
  return encode(codecIn(provider.protocol, operation), operation, fields, changes)
}

const schema = { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' } } }

describe('further providers', () => {
  it('are all registered', () => {
    for (const provider of furtherProviders) expect(registry.get(provider.name)).toBe(provider)
  })

  it('are meant by some bare names', () => {
    expect(registry.resolve('chatdolphin')?.provider.name).toBe('nlp_cloud')
    expect(registry.resolve('j2-ultra')?.provider.name).toBe('ai21')
    expect(registry.resolve('voyage-3.5')?.provider.name).toBe('voyage')
  })

  it('send their key the way each wants it', async () => {
    const headersOf = async (name: string) =>
      (await registry.get(name)?.authorize(requestOf(), deploymentOf(), noTokens))?.headers
    expect(await headersOf('fal_ai')).toMatchObject({ authorization: 'Key sk-test-key' })
    expect(await headersOf('nlp_cloud')).toMatchObject({ authorization: 'Token sk-test-key' })
    expect(await headersOf('black_forest_labs')).toMatchObject({ 'x-key': 'sk-test-key' })
    expect(await headersOf('replicate')).toMatchObject({ authorization: 'Bearer sk-test-key' })
  })
})

describe('Voyage AI', () => {
  it('has only base64 as a format by name', () => {
    expect(ask(voyage, 'embeddings', { encoding_format: 'float', dimensions: 256 }).body).toEqual({
      model: 'acme-large',
      input: 'hi',
      output_dimension: 256,
    })
    expect(ask(voyage, 'embeddings', { encoding_format: 'base64' }).body).toMatchObject({ encoding_format: 'base64' })
    expect(thrownBy(() => ask(voyage, 'embeddings', { input: [1, 2] })).param).toBe('input')
  })

  it('embeds texts in context, each a document of its own', () => {
    const { sent, body } = ask(voyage, 'embeddings', { input: ['a', 'b'] }, { model: 'voyage-context-3' })
    expect(sent.path).toBe('/contextualizedembeddings')
    expect(body).toEqual({ model: 'voyage-context-3', inputs: [['a'], ['b']] })
    const answer = {
      data: [
        { index: 0, data: [{ embedding: [1], index: 0 }] },
        { index: 1, data: [{ embedding: [2], index: 0 }] },
      ],
      usage: { total_tokens: 4 },
    }
    const of = exchange('embeddings', { input: ['a', 'b'] }, { model: 'voyage-context-3' })
    const decoded = codecIn(voyage.protocol, 'embeddings').decode(answer, of)
    expect(decoded.data.map(({ index, embedding }) => [index, embedding])).toEqual([
      [0, [1]],
      [1, [2]],
    ])
    expect(decoded.usage).toMatchObject({ prompt_tokens: 4, total_tokens: 4 })
  })

  it('embeds texts and images together', () => {
    const image = { type: 'image_url', image_url: 'https://example.com/a.png' }
    const { sent, body } = ask(
      voyage,
      'embeddings',
      { input: [{ content: [image] }] },
      { model: 'voyage-multimodal-3' },
    )
    expect(sent.path).toBe('/multimodalembeddings')
    expect(body['inputs']).toEqual([{ content: [image] }])
    expect(ask(voyage, 'embeddings', { input: 'a' }, { model: 'voyage-multimodal-3' }).body['inputs']).toEqual([
      { content: [{ type: 'text', text: 'a' }] },
    ])
  })
})

describe('Jina AI', () => {
  it('takes its own parameters and inputs as they are', () => {
    const fields = { input: [{ image: 'AAAA' }], task: 'retrieval.query', late_chunking: true, dimensions: 64 }
    expect(ask(jina, 'embeddings', fields).body).toEqual({ model: 'acme-large', ...fields })
  })
})

describe('houses of images', () => {
  it('Recraft takes styles and sizes, but no quality', () => {
    expect(ask(recraft, 'images', { style: 'digital_illustration', size: '1024x1024', n: 2 }).body).toEqual({
      model: 'acme-large',
      prompt: 'a cat',
      style: 'digital_illustration',
      size: '1024x1024',
      n: 2,
    })
    expect(thrownBy(() => ask(recraft, 'images', { quality: 'high' })).param).toBe('quality')
  })

  it('fal.ai has the model in the path, pixels as an object, or a ratio', () => {
    const { sent, body } = ask(fal, 'images', { size: '640x480', n: 2 }, { model: 'fal-ai/flux/dev' })
    expect(sent.path).toBe('/fal-ai/flux/dev')
    expect(body).toEqual({ prompt: 'a cat', image_size: { width: 640, height: 480 }, num_images: 2 })
    const ultra = ask(fal, 'images', { size: '640x480' }, { model: 'fal-ai/flux-pro/v1.1-ultra' })
    expect(ultra.body).toEqual({ prompt: 'a cat', aspect_ratio: '4:3' })
    expect(ask(fal, 'images', { response_format: 'b64_json' }).body).toEqual({ prompt: 'a cat', sync_mode: true })
    const answer = { images: [{ url: 'data:image/png;base64,AAAA' }, { url: 'https://fal.media/a.png' }] }
    expect(codecIn(fal.protocol, 'images').decode(answer, exchange('images')).data).toEqual([
      { b64_json: 'AAAA' },
      { url: 'https://fal.media/a.png' },
    ])
  })

  it('Hyperbolic wants pixels always, and names the model its way', () => {
    const hyperbolic = registry.get('hyperbolic')
    expect(ask(hyperbolic, 'images', {}, { model: 'SD2' }).body).toEqual({
      prompt: 'a cat',
      width: 1024,
      height: 1024,
      model_name: 'SD2',
    })
    expect(ask(hyperbolic, 'images', { size: '128x256' }).body).toMatchObject({ width: 128, height: 256 })
  })
})

describe('images of Fireworks', () => {
  const fireworks = registry.get('fireworks_ai')
  const kontext = { model: 'flux-kontext-pro' }
  const codec = () => codecIn(fireworks?.protocol ?? oci.protocol, 'images')

  it('are jobs with some models', () => {
    const path = '/workflows/accounts/fireworks/models/flux-kontext-pro'
    expect(ask(fireworks, 'images', {}, kontext).sent.path).toBe(path)
    const of = exchange('images', {}, kontext)
    for (const unfinished of [{ request_id: 'abc' }, { id: 'abc', status: 'Pending' }]) {
      expect(codec().next?.(unfinished, of)).toMatchObject({
        request: { method: 'POST', path: `${path}/get_result`, body: '{"id":"abc"}' },
      })
    }
    const ready = { id: 'abc', status: 'Ready', result: { sample: 'https://x.test/a.jpg' } }
    expect(codec().next?.(ready, of)).toBeUndefined()
    expect(codec().decode(ready, of).data).toEqual([{ url: 'https://x.test/a.jpg' }])
    const moderated = { id: 'abc', status: 'Request Moderated' }
    expect(thrownBy(() => codec().next?.(moderated, of))).toMatchObject({ kind: 'content_policy' })
  })

  it('are a list with older models, and whole with others', () => {
    const older = { model: 'stable-diffusion-xl-1024-v1-0' }
    expect(ask(fireworks, 'images', {}, older).sent.path).toMatch(/^\/image_generation\//)
    expect(codec().decode([{ base64: 'AAAA' }], exchange('images', {}, older)).data).toEqual([{ b64_json: 'AAAA' }])
    const flux = exchange('images', {}, { model: 'flux-1-dev' })
    expect(codec().next?.({ base64: ['AAAA'] }, flux)).toBeUndefined()
    expect(codec().decode({ base64: ['AAAA'] }, flux).data).toEqual([{ b64_json: 'AAAA' }])
  })
})

describe('schemas at Groq', () => {
  const groq = registry.get('groq')

  it('are not streamed by the provider', () => {
    const native = { model: 'openai/gpt-oss-120b' }
    expect(ask(groq, 'chat', { response_format: schema, stream: true }, native).body).not.toHaveProperty('stream')
    const asObject = ask(groq, 'chat', { response_format: { type: 'json_object' }, stream: true }, native)
    expect(asObject.body['stream']).toBe(true)
  })

  it('are a tool for models that know none, which stands alone', () => {
    const older = { model: 'llama-3.3-70b-versatile' }
    const { body } = ask(groq, 'chat', { response_format: schema }, older)
    expect(body).not.toHaveProperty('response_format')
    expect(body['tool_choice']).toEqual({ type: 'function', function: { name: 'json_tool_call' } })
    const tools = [{ type: 'function', function: { name: 'f' } }]
    expect(thrownBy(() => ask(groq, 'chat', { response_format: schema, tools }, older)).param).toBe('response_format')
  })
})

describe('AI21', () => {
  const ai21 = registry.get('ai21')

  it('completes text with J2 models at their own endpoint, with Jamba over its chat', () => {
    expect(ask(ai21, 'completions', {}, { model: 'j2-ultra' }).sent.path).toBe('/j2-ultra/complete')
    expect(ask(ai21, 'completions', {}, { model: 'jamba-large' }).sent.path).toBe('/chat/completions')
    expect(ask(ai21, 'chat', {}, { model: 'j2-ultra' }).sent.path).toBe('/j2-ultra/complete')
  })

  it('streams Jamba', () => {
    const codec = codecIn(ai21?.protocol ?? oci.protocol, 'chat')
    const events = [{ choices: [{ index: 0, delta: { content: 'Hi' }, finish_reason: 'stop' }] }, '[DONE]']
    const chunks = stream(codec, exchange('chat', {}, { model: 'jamba-large' }), events)
    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Hi')
    const jurassic = exchange('chat', {}, { model: 'j2-ultra' })
    expect(thrownBy(() => stream(codec, jurassic, events)).kind).toBe('upstream_invalid')
  })
})

describe('Aleph Alpha', () => {
  const alephAlpha = registry.get('aleph_alpha')

  it('chats with newer models in the dialect of OpenAI', () => {
    const { sent, body } = ask(alephAlpha, 'chat', { max_tokens: 5 }, { model: 'llama-3.1-8b-instruct' })
    expect(sent.path).toBe('/chat/completions')
    expect(body).toMatchObject({ maximum_tokens: 5 })
    expect(ask(alephAlpha, 'chat', {}, { model: 'luminous-base' }).sent.path).toBe('/complete')
    expect(ask(alephAlpha, 'embeddings', {}, { model: 'luminous-base' }).sent.path).toBe('/semantic_embed')
    expect(ask(alephAlpha, 'embeddings', {}, { model: 'bge-m3' }).sent.path).toBe('/embeddings')
  })
})

describe('Predibase', () => {
  it('has tenant and deployment in the path, and an adapter for a model', () => {
    const own = { model: 'llama-3', settings: { tenantId: 'acme' } }
    const { sent, body } = ask(predibase, 'chat', { adapter_id: 'repo/1', max_completion_tokens: 5 }, own)
    expect(sent.path).toBe('/acme/deployments/v2/llms/llama-3/v1/chat/completions')
    expect(body).toMatchObject({ model: 'repo/1', max_tokens: 5 })
    expect(ask(predibase, 'chat', {}, own).body['model']).toBe('')
    expect(thrownBy(() => ask(predibase, 'chat', {}, { model: 'm' })).message).toMatch(/PREDIBASE_TENANT_ID/)
  })

  it('is asked over its own API where a setting says so', () => {
    const own = { model: 'llama-3', settings: { tenantId: 'acme', api: 'tgi' } }
    const place = '/acme/deployments/v2/llms/llama-3/generate'
    const { sent, body } = ask(predibase, 'chat', { max_tokens: 5, adapter_id: 'repo/1', adapter_source: 'pbase' }, own)
    expect(sent.path).toBe(place)
    expect(body).toMatchObject({ parameters: { max_new_tokens: 5, adapter_id: 'repo/1', adapter_source: 'pbase' } })
    expect(ask(predibase, 'completions', { stream: true }, own).sent.path).toBe(`${place}_stream`)
    const answer = { generated_text: 'Hi', details: { finish_reason: 'length', generated_tokens: 2 } }
    expect(codecIn(predibase.protocol, 'chat').decode(answer, exchange('chat', {}, own))).toMatchObject({
      choices: [{ message: { content: 'Hi' }, finish_reason: 'length' }],
      usage: { completion_tokens: 2 },
    })
    const chunks = stream(codecIn(predibase.protocol, 'chat'), exchange('chat', { stream: true }, own), [
      { token: { text: 'Hi' }, generated_text: null },
      { token: { text: '</s>', special: true }, generated_text: 'Hi', details: { finish_reason: 'eos_token' } },
    ])
    expect(chunks.map(({ choices: [choice] }) => choice?.delta.content ?? choice?.finish_reason)).toContain('Hi')
  })
})

describe('Oracle OCI', () => {
  it('lives in a region, and says which credential is missing', () => {
    const { baseUrl } = oci
    const of = (settings: JsonObject) => (typeof baseUrl === 'function' ? baseUrl(deploymentOf({ settings })) : baseUrl)
    expect(of({})).toBe('https://inference.generativeai.us-chicago-1.oci.oraclecloud.com')
    expect(of({ region: 'eu-frankfurt-1' })).toBe('https://inference.generativeai.eu-frankfurt-1.oci.oraclecloud.com')
    const work = () => oci.authorize(requestOf(), deploymentOf({ settings: { tenancy: 't' } }), noTokens)
    expect(thrownBy(work).message).toMatch(/settings\.user, settings\.fingerprint, settings\.key/)
  })
})
