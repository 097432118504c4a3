import { describe, expect, it } from 'vitest'
import { LatencyWindow } from '../../src/router/latency-window.js'

const windowOf = (...values: readonly number[]): LatencyWindow => {
  const window = new LatencyWindow()
  for (const [at, value] of values.entries()) window.add(value, at)
  return window
}

describe('LatencyWindow', () => {
  it('knows nothing at first', () => {
    expect(windowOf().average(0)).toBeUndefined()
    expect(windowOf().quantile(0.5, 0)).toBeUndefined()
  })

  it('averages the latest ten, however many came before', () => {
    const values = Array.from({ length: 200 }, (_, index) => index)
    expect(windowOf(...values).average(200)).toBe(194.5)
  })

  it('forgets what is older than two minutes in averages, and than ten in quantiles', () => {
    const window = windowOf(100)
    window.add(300, 120_000)
    expect(window.average(120_000)).toBe(200)
    expect(window.average(120_001)).toBe(300)
    expect(window.average(240_001)).toBeUndefined()
    expect(window.young(600_000)).toHaveLength(2)
    expect(window.young(600_001)).toEqual([300])
  })

  it('lets a timeout weigh in averages as much as a thousand seconds, and not at all in quantiles', () => {
    const window = windowOf(100)
    window.addTimeout(1)
    expect(window.average(1)).toBe(500_050)
    expect(window.quantile(0.95, 1)).toBe(100)
  })

  it('gives a quantile only of enough latencies', () => {
    const window = windowOf(...Array.from({ length: 20 }, (_, index) => 20 - index))
    expect(window.quantile(0.95, 20, 20)).toBe(20)
    expect(window.quantile(0.5, 20, 20)).toBe(11)
    expect(window.quantile(0.5, 20, 21)).toBeUndefined()
  })
})
