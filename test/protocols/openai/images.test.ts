import { describe, expect, it } from 'vitest'
import type { Quirks } from '../../../src/protocols/openai/quirks.js'
import { ImageResponse } from '../../../src/wire/images.js'
import { bodyOf, codecOf, deepFreeze, exchangeOf } from './exchange.js'

const encode = (fields: object, quirks: Quirks = {}) =>
  bodyOf(codecOf('images', quirks).encode(exchangeOf<'images'>({ model: 'fast', prompt: 'a cat', ...fields })))
const decode = (body: unknown) => {
  const decoded = codecOf('images').decode(deepFreeze(body), exchangeOf<'images'>({ model: 'fast', prompt: 'a cat' }))
  expect(ImageResponse.safeParse(decoded).error).toBeUndefined()
  return decoded
}

describe('an image request', () => {
  it('goes out under the provider’s names', () => {
    expect(encode({ n: 2, size: null, steps: 4 }, { images: { rename: { n: 'num_images' } } })).toEqual({
      model: 'acme-large',
      prompt: 'a cat',
      num_images: 2,
      steps: 4,
    })
    expect(() => encode({ style: 'vivid', quality: 'hd' }, { images: { unsupported: ['style', 'quality'] } })).toThrow(
      /style, quality/,
    )
    expect(encode({ n: 2 }, { unsupported: ['n'] })).toMatchObject({ n: 2 })
    expect(encode({ size: '1x1' }, { adjust: (body, operation) => ({ ...body, operation }) })).toMatchObject({
      operation: 'images',
    })
  })
})

describe('images', () => {
  it('are given back as the object they are, usage included', () => {
    const usage = {
      input_tokens: 1,
      output_tokens: 2,
      total_tokens: 3,
      input_tokens_details: { text_tokens: 1, image_tokens: 0 },
    }
    const whole = { created: 5, data: [{ b64_json: 'AA==' }], usage, size: '1024x1024' }
    expect(decode(whole)).toBe(whole)
    expect(decode({ created: 5, data: [{ url: 'https://x/1.png' }] }).data).toEqual([{ url: 'https://x/1.png' }])
  })

  it.each([
    [{ images: [{ url: 'https://x/1.png', width: 5 }] }, { url: 'https://x/1.png', width: 5 }],
    [{ images: [{ image: 'AA==' }] }, { b64_json: 'AA==' }],
    [{ images: ['data:image/png;base64,AA=='] }, { b64_json: 'AA==' }],
    [{ output: { choices: [{ image_base64: 'AA==' }] } }, { b64_json: 'AA==' }],
    [{ data: [{ url: null, b64_json: 'AA==', revised_prompt: null }] }, { b64_json: 'AA==' }],
    [{ data: ['https://x/1.png'] }, { url: 'https://x/1.png' }],
  ])('are found in %j', (body, image) => {
    expect(decode(body)).toEqual({ created: 1_750_000_000, data: [image] })
  })

  it('are counted in the words of images where a chat was counted', () => {
    const counted = (usage: object) => decode({ created: 5, data: [{ b64_json: 'AA==' }], usage }).usage
    const chat = { prompt_tokens: 5, completion_tokens: 1_552, total_tokens: 1_557 }
    expect(counted({ ...chat, completion_tokens_details: { reasoning_tokens: 2, image_tokens: 1_120 } })).toMatchObject(
      {
        input_tokens: 5,
        output_tokens: 1_552,
        total_tokens: 1_557,
        input_tokens_details: { text_tokens: 5, image_tokens: 0 },
        output_tokens_details: { reasoning_tokens: 2, text_tokens: 430, image_tokens: 1_120 },
      },
    )
    const bare = counted({ ...chat, prompt_tokens_details: { image_tokens: 3, cached_tokens: 1 } })
    expect(bare).toMatchObject({ input_tokens_details: { text_tokens: 2, image_tokens: 3, cached_tokens: 1 } })
    expect(bare).not.toHaveProperty('output_tokens_details')
  })

  it('that are none are an error', () => {
    expect(() => decode({ data: [{}] })).toThrow(/without images/)
    expect(() => decode({ error: { message: 'blocked', code: 'content_policy_violation' } })).toThrow('blocked')
  })
})
