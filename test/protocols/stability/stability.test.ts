import { describe, expect, it } from 'vitest'
import { stabilityProtocol } from '../../../src/protocols/stability/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode, exchange, thrownBy } from '../further-exchange.js'

const images = codecIn(stabilityProtocol, 'images')

/** Reads the form as a server does. */
async function formOf(fields: JsonObject, model = 'core') {
  const { sent } = encode(images, 'images', fields, { model })
  const { body, headers } = sent
  const form = await new Response(body as string, {
    headers: { 'content-type': headers['content-type'] ?? '' },
  }).formData()
  return { path: sent.path, fields: Object.fromEntries(form) }
}

describe('Stable Image', () => {
  it('gets a form that a server can read', async () => {
    const fields = { prompt: 'a "cat"\r\nin the rain', size: '1024x1792', negative_prompt: 'dogs', seed: 7 }
    expect(await formOf(fields)).toEqual({
      path: '/v2beta/stable-image/generate/core',
      fields: { prompt: 'a "cat"\r\nin the rain', aspect_ratio: '9:16', negative_prompt: 'dogs', seed: '7' },
    })
    expect(await formOf({}, 'sd3.5-large')).toEqual({
      path: '/v2beta/stable-image/generate/sd3',
      fields: { prompt: 'a cat', model: 'sd3.5-large' },
    })
  })

  it('has a boundary that no field holds, the same for the same call', async () => {
    const { sent } = encode(images, 'images', {})
    expect(encode(images, 'images', {}).sent).toEqual(sent)
    const hostile = '--sluice-abcdefghijklmnopqrstuvwx\r\ncontent-disposition: form-data; name="seed"\r\n\r\n1'
    expect((await formOf({ prompt: hostile })).fields).toEqual({ prompt: hostile })
    expect((await formOf({ 'a"; name="seed': '1' })).fields).toMatchObject({ 'a"; name="seed': '1' })
  })

  it('makes one image a call, and as many calls as images', () => {
    const of = exchange('images', { n: 2 })
    const [first, second] = ['AAAA', 'BBBB'].map((image) => ({ image, finish_reason: 'SUCCESS' }))
    expect(images.next?.(first, of, 1)).toEqual({ request: images.encode(of), delayMs: 0, keep: first })
    expect(images.next?.(second, of, 2)).toBeUndefined()
    const seeded = images.next?.(first, exchange('images', { n: 2, seed: 7 }), 1)
    expect(String(seeded?.request.body)).toContain('name="seed"\r\n\r\n8\r\n')
    expect(thrownBy(() => encode(images, 'images', { n: 11 })).param).toBe('n')
    expect(images.next?.(first, exchange('images'))).toBeUndefined()
    expect(images.decode([first, second], of).data).toEqual([{ b64_json: 'AAAA' }, { b64_json: 'BBBB' }])
  })

  it('answers with bytes, or with why there are none', () => {
    expect(images.decode({ image: 'AAAA', finish_reason: 'SUCCESS', seed: 1 }, exchange('images')).data).toEqual([
      { b64_json: 'AAAA' },
    ])
    const filtered = { image: 'AAAA', finish_reason: 'CONTENT_FILTERED' }
    expect(thrownBy(() => images.decode(filtered, exchange('images')))).toMatchObject({
      kind: 'content_policy',
      status: 400,
    })
    const failure = stabilityProtocol.failure(400, { id: 'x', name: 'bad_request', errors: ['prompt: too long'] })
    expect(failure).toMatchObject({ kind: 'invalid_request', message: 'prompt: too long' })
  })
})
