import { describe, expect, it } from 'vitest'
import { lowerLimit, raiseToLimit, toPrice } from '../../../src/catalog/prices/index.js'

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

describe('raiseToLimit', () => {
  const free = toPrice({ input: 0, output: 0 }, 'fallback', 'a model')

  it('reads dollars per million tokens and each, rounded up', () => {
    const { variants, images } = raiseToLimit(free, { prompt: 1.25, completion: '10', request: 0.01, image: 1e-13 })
    expect(variants[0].rates).toEqual({ input: 1_250_000n, output: 10_000_000n, request: 10_000_000_000n })
    expect(images).toEqual([{ size: undefined, quality: undefined, pico: 1n }])
  })

  it('leaves what it does not name, and what is dearer already', () => {
    const options = {
      input: 3,
      cacheWrite: 4,
      output: 9,
      perWebSearch: 1,
      perImage: '0.2',
      tiers: [{ abovePromptTokens: 10, input: 1, cacheWrite: 1 }],
      serviceTiers: { flex: { output: 5 } },
    }
    const own = toPrice(options, 'catalog', 'a model')
    const raised = toPrice(
      { ...options, input: 5, tiers: [{ abovePromptTokens: 10, input: 5, cacheWrite: 1 }] },
      'catalog',
      'a model',
    )
    expect(raiseToLimit(own, { prompt: 5, image: 0.1 })).toEqual(raised)
    expect(raiseToLimit(own, { prompt: 0, completion: 1, image: 0 })).toEqual(own)
    expect(raiseToLimit(own, { completion: 7 }).variants[0].serviceTiers['flex']?.rates).toEqual({ output: 7_000_000n })
  })

  it('leaves out what is no amount', () => {
    expect(raiseToLimit(free, { prompt: -1, completion: null, request: {}, image: 'x' })).toEqual(free)
  })
})
