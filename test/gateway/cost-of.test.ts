import { describe, expect, it } from 'vitest'
import { type PriceBook, openPriceBook } from '../../src/catalog/prices/index.js'
import { createCostOf } from '../../src/gateway/cost-of.js'
import { deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'

const published = deploymentOf({ model: 'gpt-4o-mini' })
const own = deploymentOf({ prices: { input: 1, output: 3 } })

describe('createCostOf', () => {
  it('opens the price list before anybody asks, so that the first call finds it read', async () => {
    const opened: Promise<PriceBook>[] = []
    const costOf = createCostOf(() => (opened[0] ??= openPriceBook()), new FakeClock())
    expect(opened).toHaveLength(1)
    await opened[0]
    expect(costOf(published)).toBe(750_000)
  })

  it('knows what hosts set themselves at once', () => {
    const costOf = createCostOf(() => new Promise<PriceBook>(() => {}), new FakeClock())
    expect([costOf(own), costOf(published)]).toEqual([4_000_000, undefined])
  })
})
