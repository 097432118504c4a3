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
  it('asks for an image in a chat', () => {
    expect(openrouterImage({ model: 'acme/painter', prompt: 'a cat', size: '1792x1024', n: 1 }, 'images')).toEqual({
      model: 'acme/painter',
      messages: [{ role: 'user', content: 'a cat' }],
      modalities: ['image', 'text'],
      image_config: { aspect_ratio: '16:9' },
    })
  })

  it("reads the images of the chat's answer", () => {
    const answer = openrouterImages({
      created: 5,
      choices: [
        {
          message: {
            role: 'assistant',
            content: '',
            images: [
              { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
              { type: 'image_url', image_url: { url: 'https://images.example/1.png' } },
            ],
          },
        },
      ],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, cost: 0.01 },
    })
    expect(answer).toEqual({
      created: 5,
      data: [{ b64_json: 'AAAA' }, { url: 'https://images.example/1.png' }],
      usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7, cost: 0.01 },
    })
  })
})
