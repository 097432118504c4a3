import { describe, expect, it } from 'vitest'
import { openPriceBook, toPrice } from '../../src/catalog/prices/index.js'
import { circumstancesOf, costOf, noUsage } from '../../src/spend/index.js'

describe('what a bill depends on', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>, object]>([
    [
      'the tier of the answer, not the one asked for',
      { service_tier: 'priority' },
      { service_tier: 'default' },
      { serviceTier: 'default' },
    ],
    ['no tier where the answer tells none', { service_tier: 'flex' }, {}, { serviceTier: undefined }],
    [
      "Claude's tier, in the usage",
      {},
      { usage: { service_tier: 'batch', speed: 'standard' } },
      { serviceTier: 'batch' },
    ],
    ["Claude's fast mode", {}, { usage: { service_tier: 'standard', speed: 'fast' } }, { serviceTier: 'fast' }],
    ["Claude's place of inference", {}, { usage: { inference_geo: 'us' } }, { region: 'us' }],
    [
      'the size that was asked for',
      { size: '512x512', quality: 'hd' },
      {},
      { imageSize: '512x512', imageQuality: 'hd' },
    ],
    [
      'the size that was made',
      { size: 'auto', quality: 'auto' },
      { size: '1024x1536', quality: 'high' },
      { imageSize: '1024x1536', imageQuality: 'high' },
    ],
  ])('is %s', (_what, request, answer, expected) => {
    expect(circumstancesOf({ at: 5, request, answer })).toMatchObject({ at: 5, batch: false, ...expected })
  })

  it("flags a place that the published rates are not for, but not with a host's own", async () => {
    const { price } = (await openPriceBook()).find({ provider: 'anthropic', model: 'claude-opus-5' })
    const own = toPrice({ input: 5.5, output: 27.5 }, 'deployment', 'claude-opus-5')
    const reasons = [price ?? own, own].map(
      (known) => costOf({ ...noUsage, inputUncached: 1 }, known, { at: 0, region: 'us' }).reasons,
    )
    expect(reasons).toEqual([['No rates for inference in us.'], []])
    expect(costOf(noUsage, price ?? own, { at: 0, region: 'global' }).priced).toBe(true)
  })
})
