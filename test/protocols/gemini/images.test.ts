import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { geminiProtocol } from '../../../src/protocols/gemini/index.js'
import { ImageRequest } from '../../../src/wire/images.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { expectValid } from '../../oracle/openai-schema.js'
import { exchangeOf, responseOf, thrownBy } from './fixtures.js'
import { brokenRules } from './strict-rules.js'

function codec() {
  const { images } = geminiProtocol.codecs
  if (!images) throw new Error('no codec of images')
  return images
}

const exchange = (fields: JsonObject, changes: Partial<Deployment> = {}) =>
  exchangeOf<'images'>(ImageRequest.parse({ model: 'group', prompt: 'a cat', ...fields }), {
    model: 'gemini-2.5-flash-image',
    ...changes,
  })

function encode(fields: JsonObject, changes: Partial<Deployment> = {}) {
  const { path, body, droppedParams } = codec().encode(exchange(fields, changes))
  const parsed: unknown = JSON.parse(String(body))
  if (!isObject(parsed)) throw new Error('the body is no object')
  expect(brokenRules(path, parsed)).toEqual([])
  return { path, body: parsed, droppedParams }
}

const image = { inlineData: { mimeType: 'image/png', data: 'AAAA' } }

describe('a request for an image', () => {
  it('asks a drawing model for text and image', () => {
    const { path, body } = encode({ n: 1, response_format: 'url', quality: 'auto' })
    expect(path).toBe('/v1beta/models/gemini-2.5-flash-image:generateContent')
    expect(body).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'a cat' }] }],
      generationConfig: { responseModalities: ['TEXT', 'IMAGE'] },
    })
  })

  it.each<readonly [string, JsonObject | undefined]>([
    ['auto', undefined],
    ['1024x1024', { aspectRatio: '1:1' }],
    ['1792x1024', { aspectRatio: '16:9' }],
    ['1024x1536', { aspectRatio: '2:3' }],
    ['21:9', { aspectRatio: '21:9' }],
    ['2048x2048', { aspectRatio: '1:1', imageSize: '2K' }],
    ['4096x4096', { aspectRatio: '1:1', imageSize: '4K' }],
  ])('of size %s has the image config %j', (size, expected) => {
    const { generationConfig } = encode({ size }).body
    expect(isObject(generationConfig) ? generationConfig['imageConfig'] : 'none').toEqual(expected)
  })

  it('lets the caller configure the image itself', () => {
    const { body } = encode({ size: '1024x1024', imageConfig: { imageSize: '4K' } })
    expect(body).toMatchObject({ generationConfig: { imageConfig: { aspectRatio: '1:1', imageSize: '4K' } } })
  })

  it('refuses or drops what no such model can do', () => {
    const fields = { n: 2, size: '1000x333', quality: 'hd', style: 'vivid', background: 'transparent' }
    const error = thrownBy(() => encode(fields))
    expect(error).toMatchObject({ status: 400, param: 'n' })
    expect(String(error)).toContain('n, background, quality, style, size')
    expect(encode(fields, { dropParams: true }).droppedParams).toEqual(['n', 'background', 'quality', 'style', 'size'])
  })
})

describe('an answer with an image', () => {
  it('is base64, with usage, without drafts', () => {
    const usageMetadata = {
      promptTokenCount: 4,
      candidatesTokenCount: 1300,
      totalTokenCount: 1304,
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
    }
    const answer = codec().decode(
      responseOf([{ text: 'Here' }, { ...image, thought: true }, image], {}, { usageMetadata }),
      exchange({}),
    )
    expectValid('ImagesResponse', answer)
    expect(answer).toMatchObject({
      created: 1_700_000_000,
      data: [{ b64_json: 'AAAA' }],
      usage: {
        input_tokens: 4,
        output_tokens: 1300,
        total_tokens: 1304,
        output_tokens_details: { image_tokens: 1290 },
      },
    })
  })

  it.each<readonly [string, JsonObject, string]>([
    ['was filtered', responseOf([], { finishReason: 'IMAGE_SAFETY' }), 'content_policy'],
    ['was blocked', { promptFeedback: { blockReason: 'OTHER' } }, 'content_policy'],
    ['is missing', responseOf([{ text: 'no' }], { finishReason: 'NO_IMAGE' }), 'upstream_invalid'],
  ])('that %s is an error', (_name, body, kind) => {
    expect(thrownBy(() => codec().decode(body, exchange({})))).toMatchObject({ kind })
  })
})
