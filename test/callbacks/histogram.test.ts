import fc from 'fast-check'
import * as client from 'prom-client'
import { expect, it } from 'vitest'
import { Histogram } from '../../src/callbacks/histogram.js'

const settings = { name: 'seconds', help: 'How long', labelNames: ['place', 'who'], buckets: [0.1, 0.5, 2] }
const observation = fc.record({
  labels: fc.record({ place: fc.constantFrom('a', 'b', 'a"\n\\'), who: fc.constantFrom('', 'x') }),
  values: fc.array(
    fc.integer({ min: 0, max: 24 }).map((eighths) => eighths / 8),
    { maxLength: 5 },
  ),
})

const openMetrics = client.Registry.OPENMETRICS_CONTENT_TYPE

/** The order of labels means nothing. */
const sorted = (text: string): string =>
  text.replace(/\{(.*)\}/g, (_, labels: string) => `{${labels.split(',').toSorted().join(',')}}`)

it("gives what prom-client's histogram gives, as text of both kinds, as JSON of a cluster, with labels of the registry, after a reset", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(observation), fc.array(observation), fc.boolean(), async (before, after, isOpen) => {
      const [ours, theirs] = [new client.Registry(), new client.Registry()]
      if (isOpen) for (const registry of [ours, theirs]) registry.setContentType(openMetrics as never)
      const own = new Histogram(settings)
      ours.registerMetric(own as never)
      const reference = new client.Histogram({ ...settings, registers: [theirs] })
      const observe = (observations: typeof before): void => {
        for (const { labels, values } of observations) {
          own.observeAll(labels, values)
          for (const value of values) reference.observe(labels, value)
        }
      }
      observe(before)
      expect(await ours.metrics()).toBe(await theirs.metrics())
      const [aggregated, expected] = await Promise.all(
        [ours, theirs].map(async (registry) => {
          const workers = await Promise.all([registry.getMetricsAsJSON(), registry.getMetricsAsJSON()])
          return client.AggregatorRegistry.aggregate(workers).metrics()
        }),
      )
      expect(aggregated).toBe(expected)
      for (const registry of [ours, theirs]) {
        registry.resetMetrics()
        registry.setDefaultLabels({ app: 'host' })
      }
      observe(after)
      expect(sorted(await ours.metrics())).toBe(sorted(await theirs.metrics()))
    }),
    { numRuns: 50 },
  )
})
