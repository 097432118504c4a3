import {
  type CounterLevel,
  type CounterStore,
  type Hold,
  type Reservation,
  type ReserveResult,
  settledMemoryMs,
} from '../../src/index.js'
import { type RedisLike, isConnected, runScript } from './client.js'
import { endScript, readScript, renewScript, reserveScript, seedScript, splitScript } from './counter-scripts.js'

/** Where the counters are kept. */
export interface RedisCountersOptions {
  /** Before every key. @default 'sluice' */
  readonly prefix?: string
}

// A script holds up the whole server: many reservations are renewed by several of them.
const renewedAtOnce = 50

/**
 * Counts in the host's Redis, for all processes together: one script, one round trip per operation, by the server's
 * clock. All keys of a tenant have one hash tag, and every key expires.
 */
export function createRedisCounters(client: RedisLike, { prefix = 'sluice' }: RedisCountersOptions = {}): CounterStore {
  const keysOf = (tenant: string): Keys => {
    const tag = `${prefix}:{${encodeURIComponent(tenant)}}`
    return {
      reservation: (id) => `${tag}:reservation:${id}`,
      entries: (counter) => `${tag}:entries:${counter}`,
      account: (counter) => `${tag}:account:${counter}`,
    }
  }
  const end = async (reservation: Reservation, actual: readonly number[], at: number): Promise<readonly number[]> => {
    const { id, tenant, holds } = reservation
    const keys = keysOf(tenant)
    const args = holds.flatMap((hold, index) => [hold.kind, hold.amount, actual[index] ?? 0, spanOf(hold)])
    const reply = await runScript(
      client,
      endScript,
      [keys.reservation(id), ...holds.flatMap((hold) => countersOf(keys, hold))],
      [id, at, settledMemoryMs, holds.length, ...args],
    )
    return toNumbers(reply)
  }
  return {
    silenceMs: 2_000,
    isConnected: () => isConnected(client),
    async reserve(holds, { id, tenant, ttlMs }) {
      const keys = keysOf(tenant)
      const args = holds.flatMap((hold) => [hold.kind, hold.amount, orNone(hold.limit), spanOf(hold)])
      const reply = await runScript(
        client,
        reserveScript,
        [keys.reservation(id), ...holds.flatMap((hold) => countersOf(keys, hold))],
        [id, ttlMs, holds.length, ...args],
      )
      return toReserveResult(reply, { id, tenant, holds })
    },
    async renew(reservations, ttlMs) {
      const gone = await Promise.all(
        toBatches(reservations).map(async (batch) => {
          const keys = batch.flatMap(({ id, tenant, holds }) => {
            const names = keysOf(tenant)
            return [names.reservation(id), ...lasting(holds).map((hold) => names.entries(hold.counter))]
          })
          const args = batch.flatMap(({ id, holds }) => {
            const amounts = lasting(holds).map((hold) => hold.amount)
            return [id, amounts.length, ...amounts]
          })
          const places = toNumbers(await runScript(client, renewScript, keys, [ttlMs, batch.length, ...args]))
          return places.flatMap((place) => batch[place]?.id ?? [])
        }),
      )
      return gone.flat()
    },
    async settle(reservation, actual, at) {
      const spent = await end(reservation, actual, Math.max(0, at))
      return spent.map((level) => (level < 0 ? undefined : level))
    },
    async release(reservation) {
      await end(reservation, [], -1)
    },
    async seed(tenant, counters) {
      if (counters.length === 0) return
      const keys = keysOf(tenant)
      const args = counters.flatMap(({ spent, until, endsAt }) => [spent, until, endsAt ?? -1])
      await runScript(
        client,
        seedScript,
        counters.map(({ counter }) => keys.account(counter)),
        args,
      )
    },
    async split(tenant, counters, at) {
      if (counters.length > 0) await runScript(client, splitScript, counters.map(keysOf(tenant).account), [at])
    },
    async forget(tenant, counters) {
      if (counters.length > 0) await client.call('del', ...counters.map(keysOf(tenant).account))
    },
    async read(tenant, holds) {
      const keys = keysOf(tenant)
      const names = holds.flatMap((hold) => countersOf(keys, hold))
      if (names.length === 0) return []
      const kinds = holds.map((hold) => hold.kind)
      return toLevels(await runScript(client, readScript, names, kinds))
    },
  }
}

interface Keys {
  readonly reservation: (id: string) => string
  readonly entries: (counter: string) => string
  readonly account: (counter: string) => string
}

function countersOf(keys: Keys, { kind, counter }: Hold): readonly string[] {
  return kind === 'budget' ? [keys.entries(counter), keys.account(counter)] : [keys.entries(counter)]
}

/** Rates leave by themselves: only what lives as long as its call is renewed. */
function lasting(holds: readonly Hold[]): readonly Hold[] {
  return holds.filter((hold) => hold.kind !== 'rate')
}

/** Reservations of one tenant each, as one script may only touch one slot of a cluster. */
function toBatches(reservations: readonly Reservation[]): readonly (readonly Reservation[])[] {
  const byTenant = new Map<string, Reservation[]>()
  for (const reservation of reservations) {
    const known = byTenant.get(reservation.tenant)
    if (known) known.push(reservation)
    else byTenant.set(reservation.tenant, [reservation])
  }
  return [...byTenant.values()].flatMap((list) =>
    Array.from({ length: Math.ceil(list.length / renewedAtOnce) }, (_, at) =>
      list.slice(at * renewedAtOnce, (at + 1) * renewedAtOnce),
    ),
  )
}

const spanOf = ({ kind, windowMs, endsAt }: Hold): number => (kind === 'rate' ? windowMs : endsAt) ?? -1

const orNone = (limit: number): number => (limit === Infinity ? -1 : limit)

function toReserveResult(reply: unknown, asked: Omit<Reservation, 'used'>): ReserveResult {
  const [outcome, ...rest]: readonly unknown[] = Array.isArray(reply) ? reply : []
  if (outcome === 'granted') {
    const [used] = rest
    return { granted: { ...asked, used: used === '' ? [] : String(used).split(',').map(Number) } }
  }
  const numbers = toNumbers(rest)
  if (outcome === 'missing') return { missing: numbers.flatMap((at) => asked.holds[at]?.counter ?? []) }
  const [index = 0, used = 0, wait = -1] = numbers
  if (outcome === 'refused') return { refused: { index, used, retryAfterMs: wait < 0 ? undefined : wait } }
  throw unexpected(reply)
}

function toLevels(reply: unknown): readonly CounterLevel[] {
  if (!Array.isArray(reply)) throw unexpected(reply)
  return reply.map((level) => {
    const [used = 0, held = 0, until = -1, split = -1] = toNumbers(level)
    return { used, held, seededUntil: until < 0 ? undefined : until, splitAt: split < 0 ? undefined : split }
  })
}

function toNumbers(reply: unknown): readonly number[] {
  if (!Array.isArray(reply)) throw unexpected(reply)
  return reply.map(Number)
}

function unexpected(reply: unknown): TypeError {
  return new TypeError(`Redis gave ${typeof reply} where a list of the script was expected.`)
}
