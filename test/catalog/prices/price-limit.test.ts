import { describe, expect, it } from 'vitest'
import { limitPrice, lowerLimit } from '../../../src/catalog/prices/index.js'

describe('lowerLimit', () => {
  it('takes of each amount the lower', () => {
    const own = { prompt: 1, completion: '2', request: 0.1 }
    expect(lowerLimit(own, { prompt: 0.5, completion: 3, image: 1 })).toEqual({ ...own, prompt: 0.5, image: 1 })
    expect(lowerLimit(own, { prompt: '1e-1' })).toEqual({ ...own, prompt: '1e-1' })
  })

  it.each([null, undefined, 'none', [], { prompt: null }, { prompt: -1 }, { prompt: Number.NaN }, { prompt: 'free' }])(
    'keeps its own where %j is asked for',
    (asked) => expect(lowerLimit({ prompt: 1 }, asked)).toEqual({ prompt: 1 }),
  )

  it('is none where the deployment has none', () => expect(lowerLimit(undefined, { prompt: 1 })).toBeUndefined())
})

describe('limitPrice', () => {
  it('reads dollars per million tokens and each, rounded up', () => {
    const { variants, images } = limitPrice({ prompt: 1.25, completion: '10', request: 0.01, image: 1e-13 }, 'limit')
    expect(variants[0].rates).toEqual({ input: 1_250_000n, output: 10_000_000n, request: 10_000_000_000n })
    expect(images).toEqual([{ size: undefined, quality: undefined, pico: 1n }])
  })

  it('leaves out what is no amount', () => {
    const { variants, images } = limitPrice({ prompt: -1, completion: null, request: {}, image: 'x' }, 'limit')
    expect([variants[0].rates, images]).toEqual([{}, []])
  })
})
