import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../src/deployment.js'
import { toGatewayError } from '../../src/errors.js'
import { gemini } from '../../src/providers/gemini.js'
import type { JsonObject } from '../../src/wire/json.js'
import { deploymentOf } from './deployments.js'

const { images } = gemini.protocol.codecs

function exchangeOf(fields: JsonObject, changes: Partial<Deployment>) {
  const deployment = deploymentOf({ provider: 'gemini', baseUrl: 'https://images.test', ...changes })
  return { request: { model: 'm', prompt: 'a cat', ...fields }, deployment, id: 'i'.repeat(24), created: 7 }
}

function encode(fields: JsonObject, changes: Partial<Deployment>) {
  const { path, body } = images?.encode(exchangeOf(fields, changes)) ?? {}
  return { path, body: JSON.parse(String(body)) as JsonObject }
}

describe('an image of Google AI Studio', () => {
  it('is drawn by Imagen over predict', () => {
    expect(encode({ n: 2, size: '1024x1792' }, { model: 'imagen-4.0-generate-001' })).toEqual({
      path: '/v1beta/models/imagen-4.0-generate-001:predict',
      body: { instances: [{ prompt: 'a cat' }], parameters: { sampleCount: 2, aspectRatio: '9:16' } },
    })
    const body = { predictions: [{ mimeType: 'image/png', bytesBase64Encoded: 'AAAA' }, { contentType: 'Prompt' }] }
    expect(images?.decode(body, exchangeOf({}, { model: 'imagen-4.0-generate-001' }))).toEqual({
      created: 7,
      data: [{ b64_json: 'AAAA' }],
    })
  })

  it('is drawn by Gemini over generateContent', () => {
    expect(encode({}, { model: 'gemini-2.5-flash-image' }).path).toBe(
      '/v1beta/models/gemini-2.5-flash-image:generateContent',
    )
  })

  it('is refused at the address where Imagen was shut down, with what replaces it', () => {
    try {
      encode({}, { model: 'imagen-4.0-generate-001', baseUrl: undefined })
      expect.unreachable()
    } catch (thrown) {
      expect(toGatewayError(thrown)).toMatchObject({ kind: 'gone', message: expect.stringContaining('gemini-2.5') })
    }
  })
})
