import { describe, expect, it } from 'vitest'
import {
  aimlImage,
  fireworksImage,
  fireworksImages,
  openrouterImage,
  openrouterImages,
  togetherImage,
} from '../../../src/providers/openai-compatible/images.js'

describe('AI/ML API', () => {
  it('writes a size as width and height', () => {
    expect(aimlImage({ prompt: 'a cat', size: '640x480' }, 'images')).toEqual({
      prompt: 'a cat',
      image_size: { width: 640, height: 480 },
    })
  })

  it('leaves out a size that asks for nothing', () => {
    expect(aimlImage({ prompt: 'a cat', size: 'auto' }, 'images')).toEqual({ prompt: 'a cat' })
  })

  it('refuses a size that is none', () => {
    expect(() => aimlImage({ size: 'huge' }, 'images')).toThrow(/size must be/)
  })
})

describe('Together', () => {
  it('spells base64 and the size its way', () => {
    expect(togetherImage({ size: '512x256', response_format: 'b64_json', n: 2 }, 'images')).toEqual({
      width: 512,
      height: 256,
      response_format: 'base64',
      n: 2,
    })
  })

  it('leaves other operations alone', () => {
    const body = { size: '1x1' }
    expect(togetherImage(body, 'chat')).toBe(body)
  })
})

describe('Fireworks', () => {
  it('has the model in the path and an aspect ratio for a size', () => {
    expect(fireworksImage({ model: 'flux', prompt: 'a cat', size: '1024x1536' }, 'images')).toEqual({
      prompt: 'a cat',
      aspect_ratio: '2:3',
    })
  })

  it('refuses a size without an aspect ratio', () => {
    expect(() => fireworksImage({ size: '37x911' }, 'images')).toThrow(/1024x1024/)
  })

  it('answers a list of texts', () => {
    expect(fireworksImages({ base64: ['AAAA', 'BBBB'], seed: 1 })).toEqual({
      seed: 1,
      data: [{ b64_json: 'AAAA' }, { b64_json: 'BBBB' }],
    })
  })
})

describe('OpenRouter', () => {
  it('is asked for pixels or for no size, and never for base64', () => {
    const asked = { model: 'acme/painter', prompt: 'a cat', size: '2048x1024', n: 2, response_format: 'b64_json' }
    const { response_format: _, ...sent } = asked
    expect(openrouterImage(asked, 'images')).toEqual(sent)
    expect(openrouterImage({ prompt: 'a cat', size: 'auto' }, 'images')).toEqual({ prompt: 'a cat' })
    expect(openrouterImage({ response_format: { type: 'text' } }, 'chat')).toEqual({
      response_format: { type: 'text' },
    })
  })

  it('gives no time', () => {
    expect(openrouterImages({ created: 0, data: [] })).toEqual({ data: [] })
    expect(openrouterImages({ created: 5, data: [] })).toEqual({ created: 5, data: [] })
  })
})
