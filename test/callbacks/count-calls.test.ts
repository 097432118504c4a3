import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import * as client from 'prom-client'
import { describe, expect, it } from 'vitest'
import { countCalls } from '../../src/callbacks/count-calls.js'
import { type Metrics, createMetrics } from '../../src/callbacks/metrics.js'
import { hasSameMetrics, metricAttributes } from '../../src/callbacks/spans.js'
import { GatewayError } from '../../src/errors.js'
import type { CallRecord } from '../../src/ports/callback.js'
import { openCallbacks, sampleFacts, sampleRecord, sampleRow } from './lab.js'

/** Calls that differ in everything that is a label, by few values, so that some are alike. */
const anyRecord: fc.Arbitrary<CallRecord> = fc
  .record({
    user: fc.constantFrom('u1', 'u2', undefined),
    key: fc.constantFrom('k1', 'k2'),
    endUser: fc.constantFrom('e1', 'e2', undefined),
    modelName: fc.constantFrom('fast', 'slow', undefined),
    operation: fc.constantFrom('chat', 'embeddings'),
    error: fc.constantFrom(undefined, undefined, 'timeout' as const, 'overloaded' as const),
    source: fc.constantFrom('provider' as const, 'cache' as const),
    stream: fc.boolean(),
    tried: fc.nat(2),
    took: fc.nat(20_000),
    tokens: fc.nat(1_000),
    charged: fc.bigInt({ min: 0n, max: 10n ** 12n }),
  })
  .map(({ user, key, error, source, stream, tried, took, tokens, charged, ...own }) =>
    sampleRecord({
      ...own,
      caller: { id: 'c', scopes: [{ kind: 'key', id: key }, ...(user ? [{ kind: 'user' as const, id: user }] : [])] },
      ending: { error: error && new GatewayError(error, 'no'), stream, contentSent: false, source },
      attempts: sampleFacts.attempts.slice(0, tried),
      endedAt: sampleFacts.startedAt + took,
      rows: [{ ...sampleRow, usage: { inputUncached: tokens, outputText: tokens * 2 }, charged }],
    }),
  )

/** Every value by name and labels; sums of fractions as far as their order does not matter. */
async function read(registry: client.Registry): Promise<Readonly<Record<string, number>>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return Object.fromEntries(
    lines.map((line) => {
      const [, name = '', value] = /^(.*) (\S+)$/.exec(line) ?? []
      return [name, Number(Number(value).toPrecision(10))]
    }),
  )
}

function openMetrics(endUser: boolean): { readonly registry: client.Registry; readonly metrics: Metrics } {
  const registry = new client.Registry()
  return { registry, metrics: createMetrics({ client, registry, prefix: 'p_', endUser }, () => ({})) }
}

describe('counting calls', () => {
  it('gives the same metrics together as one by one, whatever is alike', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyRecord, { maxLength: 30 }), fc.boolean(), async (records, endUser) => {
        const [together, apart] = [openMetrics(endUser), openMetrics(endUser)]
        expect(countCalls(records, together.metrics, { endUser })).toBe(0)
        for (const record of records) countCalls([record], apart.metrics, { endUser })
        const counted = await read(together.registry)
        expect(counted).toEqual(await read(apart.registry))
        const calls = Object.entries(counted).filter(([name]) => name.startsWith('p_requests_total{'))
        expect(calls.reduce((sum, [, count]) => sum + count, 0)).toBe(records.length)
      }),
      { numRuns: 40 },
    )
  })

  it('takes only such calls for alike, for OpenTelemetry, whose attributes are the same', () => {
    fc.assert(
      fc.property(anyRecord, anyRecord, (left, right) => {
        expect(hasSameMetrics(left, right)).toBe(
          isDeepStrictEqual(
            [left.outcome, metricAttributes(left), left.modelName],
            [right.outcome, metricAttributes(right), right.modelName],
          ),
        )
      }),
      { numRuns: 1_000 },
    )
  })

  it('tells how many calls could not be counted, each once, and counts the others', async () => {
    const { registry, metrics } = openMetrics(false)
    const refusing: Metrics = {
      ...metrics,
      requests: {
        inc(labels, count) {
          if (labels['model_group'] === 'bad') throw new Error('no')
          metrics.requests.inc(labels, count)
        },
      },
      attempts: {
        inc(labels, count) {
          if (labels['deployment'] === 'dep-a') throw new Error('no')
          metrics.attempts.inc(labels, count)
        },
      },
    }
    const [failing, working] = sampleFacts.attempts
    if (!failing || !working) throw new Error('The sample has two attempts.')
    const records = [
      sampleRecord({ modelName: 'bad', attempts: [failing] }),
      sampleRecord({ attempts: [failing, failing] }),
      sampleRecord({ modelName: 'bad', attempts: [] }),
      sampleRecord({ attempts: [working] }),
    ]
    expect(countCalls(records, refusing, { endUser: false })).toBe(3)
    expect(await registry.metrics()).toMatch(/p_requests_total\{.*model_group="fast".*\} 2/)
  })

  it('is exact at every scrape while calls go on: no call twice, and all in the end', async () => {
    const registry = new client.Registry()
    const lab = openCallbacks([{ type: 'prometheus', client, registry }])
    const scraped: number[] = []
    for (let index = 1; index <= 300; index += 1) {
      lab.record(sampleRecord({ id: `rec_${index}` }))
      if (index % 10 > 0) continue
      await new Promise((resolve) => void setTimeout(resolve, 1))
      const metric = await registry.getSingleMetric('sluice_requests_total')?.get()
      const calls = metric?.values.reduce((sum, { value }) => sum + value, 0) ?? 0
      expect(calls).toBeLessThanOrEqual(index)
      scraped.push(calls)
    }
    await lab.close()
    expect(scraped).toEqual(scraped.toSorted((left, right) => left - right))
    expect(await registry.metrics()).toMatch(/sluice_requests_total\{.*\} 300/)
  })
})
