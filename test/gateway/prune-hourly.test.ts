import { expect, it } from 'vitest'
import { createGateway } from '../../src/index.js'
import type { GatewayOptions } from '../../src/options.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { createMemoryRecords } from '../../src/stores/memory-records.js'
import { FakeClock } from '../support/fake-clock.js'

const hour = 3_600_000

/** A gateway whose ledger answers to `prune` when it is told to, if ever. */
function setUp() {
  const clock = new FakeClock()
  const asked: number[] = []
  const answers: (() => void)[] = []
  const gateway = createGateway({
    models: [],
    auth: 'none',
    clock,
    spend: { retentionDays: 2 },
    stores: {
      ledger: {
        ...createMemoryLedger(),
        prune: (before) => {
          asked.push(clock.now() - before)
          return new Promise((resolve) => answers.push(() => resolve(0)))
        },
      },
    },
  })
  const pass = async (milliseconds: number): Promise<void> => {
    clock.advance(milliseconds)
    for (let turns = 0; turns < 5; turns += 1) await new Promise((resolve) => setImmediate(resolve))
  }
  return { gateway, asked, answers, pass }
}

it('forgets rows that are too old, every hour', async () => {
  const { gateway, asked, answers, pass } = setUp()
  await pass(hour)
  answers[0]?.()
  await pass(0)
  await pass(hour)
  expect(asked).toEqual([48 * hour, 48 * hour])
  await gateway.close({ drainMs: 0 })
})

it('does not begin again once it is closed, although it was in the middle', async () => {
  const { gateway, asked, answers, pass } = setUp()
  await pass(hour)
  await gateway.close({ drainMs: 0 })
  answers[0]?.()
  await pass(0)
  await pass(2 * hour)
  expect(asked).toHaveLength(1)
})

it('tries again after a ledger that never answered', async () => {
  const { gateway, asked, pass } = setUp()
  await pass(hour)
  await pass(hour)
  await pass(hour)
  expect(asked).toHaveLength(2)
  await gateway.close({ drainMs: 0 })
})

it('forgets sums and sessions each after their days, and changes of records', async () => {
  const clock = new FakeClock()
  const asked: unknown[] = []
  const days = (before: number): number => (clock.now() - before) / (24 * hour)
  const gateway = createGateway({
    models: [],
    auth: 'none',
    clock,
    audit: { retentionDays: 90 },
    spend: { sumsRetentionDays: 400, sessionsRetentionDays: 30 },
    stores: {
      ledger: {
        ...createMemoryLedger(),
        async pruneSums(pruning) {
          asked.push(Object.entries(pruning).map(([name, before]) => [name, days(before)]))
          return 0
        },
      },
      records: {
        ...createMemoryRecords({ clock }),
        async prune(kind, before) {
          asked.push([[kind, days(before)]])
          return 0
        },
      },
    },
  })
  clock.advance(hour)
  expect(asked).toEqual([[['before', 400]], [['sessionsBefore', 30]], [['audit', 90]]])
  await gateway.close({ drainMs: 0 })
})

it('refuses to forget what a store of the host cannot forget', () => {
  const ledger = createMemoryLedger()
  const records = createMemoryRecords()
  delete ledger.pruneSums
  delete records.prune
  const start = (options: Partial<GatewayOptions>) => () =>
    createGateway({ models: [], auth: 'none', stores: { ledger, records }, ...options })
  expect(start({ spend: { sumsRetentionDays: 400 } })).toThrow('needs a store that has the method `pruneSums`')
  expect(start({ spend: { sessionsRetentionDays: 1 } })).toThrow('pruneSums')
  expect(start({ audit: { retentionDays: 1 } })).toThrow('`audit.retentionDays` needs')
  expect(start({ spend: { sumsRetentionDays: 30 } })).toThrow('spend.sumsRetentionDays')
})
