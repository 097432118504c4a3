import { describe, expect, it } from 'vitest'
import type { LedgerStore, UsageEvent } from '../../src/ports/ledger.js'
import { createUsageOutbox } from '../../src/spend/usage-outbox.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { sampleEntry } from '../../src/testing/contracts/sample-entry.js'
import { FakeClock } from '../support/fake-clock.js'

/** An outbox over a ledger, and a billing that can be away, hang, or refuse single events. */
function setUp(ledger: LedgerStore = createMemoryLedger()) {
  const clock = new FakeClock()
  const logged: string[] = []
  const log = (_: object, message: string): void => void logged.push(message)
  const billing = {
    mode: 'up' as 'up' | 'down' | 'hangs',
    poison: new Set<string>(),
    calls: 0,
    told: [] as string[],
    async take(events: readonly UsageEvent[]): Promise<void> {
      billing.calls += 1
      if (billing.mode === 'hangs') await new Promise(() => {})
      if (billing.mode === 'down') throw new Error('ECONNREFUSED')
      if (events.some(({ id }) => billing.poison.has(id))) throw new Error('value out of range')
      billing.told.push(...events.map(({ id }) => id))
    },
  }
  const outbox = createUsageOutbox({
    ledger,
    onUsage: (events) => billing.take(events),
    clock,
    logger: { debug: log, info: log, warn: log, error: log },
  })
  const append = async (from: number, count = 1): Promise<void> => {
    const entries = Array.from({ length: count }, (_, index) => sampleEntry({ id: `e${from + index}` }))
    await ledger.append(entries, { tell: true })
    outbox.wake()
    await settle()
  }
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed += 250) {
      clock.advance(250)
      await settle()
    }
  }
  return { ledger, clock, billing, outbox, append, pass, logged }
}

/** Everything that needs no time. */
async function settle(): Promise<void> {
  for (let turns = 0; turns < 20; turns += 1) await new Promise((resolve) => setImmediate(resolve))
}

const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `e${index}`)

describe('the outbox', () => {
  it('tells events at once, in batches, each once', async () => {
    const { billing, append, pass } = setUp()
    await append(0)
    await append(1, 1_200)
    await pass(120_000)
    expect(billing.told.toSorted()).toEqual(ids(1_201).toSorted())
    expect(billing.calls).toBe(4)
  })

  it('repeats what the billing did not take, with pauses, and says so once', async () => {
    const { billing, append, pass, logged } = setUp()
    billing.mode = 'down'
    await append(0, 3)
    await pass(30_000)
    const { calls } = billing
    expect(calls).toBeGreaterThan(4)
    expect(calls).toBeLessThan(15)
    billing.mode = 'up'
    await pass(15_000)
    expect(billing.told.toSorted()).toEqual(ids(3))
    expect(logged).toEqual(['events wait for onUsage', 'onUsage takes events'])
  })

  it('does not let an event that is refused hold up the others', async () => {
    const { billing, append, pass, ledger, clock } = setUp()
    billing.poison.add('e7')
    await append(0, 60)
    await pass(300_000)
    expect([...new Set(billing.told)].toSorted()).toEqual(
      ids(60)
        .filter((id) => id !== 'e7')
        .toSorted(),
    )
    billing.poison.clear()
    await pass(90_000)
    expect(billing.told).toContain('e7')
    const now = clock.now() + 1_000_000
    expect(await ledger.takeEvents({ limit: 10, now, until: now + 1 })).toEqual([])
  })

  it('waits for a billing that hangs with two calls, and does not give it up for good', async () => {
    const { billing, append, pass } = setUp()
    billing.mode = 'hangs'
    await append(0, 3)
    await pass(300_000)
    expect(billing.calls).toBe(2)
    await pass(300_000)
    expect(billing.calls).toBe(3)
    billing.mode = 'up'
    await pass(300_000)
    await append(3)
    expect(billing.told.toSorted()).toEqual(ids(4))
  })

  it('tells what an earlier process left, once nobody has it any more', async () => {
    const { ledger, clock, billing, append } = setUp()
    billing.mode = 'hangs'
    await append(0, 2)
    const next = setUp(ledger)
    next.clock.advance(clock.now() - next.clock.now())
    await next.pass(40_000)
    expect(next.billing.told).toEqual([])
    await next.pass(60_000)
    expect(next.billing.told.toSorted()).toEqual(ids(2))
  })

  it('leaves to other processes what it cannot tell, as its billing hangs', async () => {
    const { ledger, billing, append, pass } = setUp()
    billing.mode = 'hangs'
    await append(0, 2)
    await pass(75_000)
    expect(billing.calls).toBe(2)
    const other = setUp(ledger)
    other.clock.advance(75_000)
    for (let minute = 0; minute < 3; minute += 1) {
      await append(2 + minute)
      for (let passed = 0; passed < 60_000; passed += 250) {
        await pass(250)
        await other.pass(250)
      }
    }
    expect(other.billing.told.toSorted()).toEqual(ids(5))
  })

  it('tells what is left when it is closed, and nothing later', async () => {
    const { billing, append, outbox, pass, ledger } = setUp()
    billing.mode = 'down'
    await append(0, 2)
    billing.mode = 'up'
    const closing = outbox.close(5_000)
    await pass(1_000)
    await closing
    expect(billing.told.toSorted()).toEqual(ids(2))
    await ledger.append([sampleEntry({ id: 'late' })], { tell: true })
    outbox.wake()
    await pass(120_000)
    expect(billing.told).not.toContain('late')
  })

  it('leaves to the ledger what the billing does not take until it is closed', async () => {
    const { billing, append, outbox, pass, ledger, clock } = setUp()
    billing.mode = 'down'
    await append(0, 2)
    const closing = outbox.close(5_000)
    await pass(6_000)
    await closing
    const now = clock.now() + 60_000
    expect(await ledger.takeEvents({ limit: 10, now, until: now + 1 })).toHaveLength(2)
  })

  it('goes on after the ledger was away', async () => {
    const memory = createMemoryLedger()
    let away = true
    const takeEvents: LedgerStore['takeEvents'] = async (claim) => {
      if (away) throw new Error('ECONNREFUSED')
      return memory.takeEvents(claim)
    }
    const { billing, append, pass, outbox } = setUp({ ...memory, takeEvents })
    await append(0, 2)
    await pass(2_000)
    expect(billing.calls).toBe(0)
    away = false
    await pass(10_000)
    expect(billing.told.toSorted()).toEqual(ids(2))
    await outbox.close(1_000)
  })

  it('asks a ledger that hangs two questions, and does not give it up for good', async () => {
    const memory = createMemoryLedger()
    let asked = 0
    const takeEvents: LedgerStore['takeEvents'] = async (claim) => {
      asked += 1
      return asked <= 3 ? new Promise(() => {}) : memory.takeEvents(claim)
    }
    const { billing, append, pass, outbox } = setUp({ ...memory, takeEvents })
    await append(0, 2)
    await pass(240_000)
    expect(asked).toBe(2)
    await pass(700_000)
    expect(billing.told.toSorted()).toEqual(ids(2))
    await outbox.close(1_000)
  })

  it('takes no more into memory than its bound, so that whoever adds them keeps them', async () => {
    const ledger = createMemoryLedger({ maxEntries: 3 })
    const entries = ids(4).map((id) => sampleEntry({ id }))
    await ledger.append(entries.slice(0, 3), { tell: true })
    await expect(ledger.append(entries, { tell: true })).rejects.toMatchObject({
      kind: 'overloaded',
      message: expect.stringContaining('3 events wait'),
    })
    expect((await ledger.query({})).entries).toHaveLength(3)
    await ledger.forgetEvents(['e0'])
    await ledger.append(entries, { tell: true })
    expect(await ledger.takeEvents({ limit: 9, now: 0, until: 1 })).toHaveLength(3)
  })
})
