import { expect } from 'vitest'
import type { CounterStore, Reservation } from '../../src/ports/counters.js'
import type { FakeClock } from '../support/fake-clock.js'
import { type Command, everyHold } from './counter-commands.js'
import { NaiveCounters } from './naive-counters.js'

const tenant = 'acme'

/** Does the same with a store and with the model; gives what each of them answered. */
export class Comparison {
  readonly #clock: FakeClock
  readonly #store: CounterStore
  readonly #naive = new NaiveCounters()
  readonly #granted: Reservation[] = []
  #ids = 0

  constructor(clock: FakeClock, store: CounterStore) {
    this.#clock = clock
    this.#store = store
  }

  async run(command: Command): Promise<readonly [store: string, model: string]> {
    const now = this.#clock.now()
    if (command.do === 'pass') {
      this.#clock.advance(command.milliseconds)
      return ['', '']
    }
    if (command.do === 'reserve') return this.#reserve(command, now)
    if (command.do === 'seed') {
      const seeded = { counter: command.counter, spent: command.spent, until: now - command.age }
      this.#naive.seed(seeded)
      await this.#store.seed(tenant, [seeded])
      return ['', '']
    }
    if (command.do === 'split') {
      const at = now + command.ahead
      this.#naive.split(command.counter, at)
      await this.#store.split(tenant, [command.counter], at)
      return ['', '']
    }
    if (command.do === 'forget') {
      this.#naive.forget(command.counter)
      await this.#store.forget(tenant, [command.counter])
      return ['', '']
    }
    const reservation = this.#granted[command.which % Math.max(1, this.#granted.length)]
    return reservation ? this.#change(command, reservation, now) : ['', '']
  }

  async levels(): Promise<readonly [store: string, model: string]> {
    const store = await this.#store.read(tenant, everyHold)
    const model = everyHold.map((hold) => this.#naive.level(hold, this.#clock.now()))
    const write = (list: typeof store): string => list.map(({ used, held }) => `${used}+${held}`).join(' ')
    return [write(store), write(model)]
  }

  async #reserve(command: Extract<Command, { do: 'reserve' }>, now: number): Promise<readonly [string, string]> {
    const id = `call ${this.#ids++}`
    const model = this.#naive.reserve(id, command.holds, { now, ttlMs: command.ttlMs })
    const result = await this.#store.reserve(command.holds, { id, tenant, ttlMs: command.ttlMs })
    if ('missing' in result) return [`missing ${result.missing.join()}`, model]
    if ('refused' in result) return ['refused', model]
    this.#granted.push(result.granted)
    const limits = command.holds.map(({ limit }) => limit)
    expect(result.granted.used.every((used, at) => used <= (limits[at] ?? 0))).toBe(true)
    return [`granted ${result.granted.used.join()}`, model]
  }

  async #change(
    command: Extract<Command, { which: number }>,
    reservation: Reservation,
    now: number,
  ): Promise<readonly [string, string]> {
    if (command.do === 'renew') {
      const model = this.#naive.renew(reservation, command.ttlMs, now)
      const gone = await this.#store.renew([reservation], command.ttlMs)
      return [String(gone.length === 0), String(model)]
    }
    if (command.do === 'release') {
      const model = this.#naive.end(reservation, undefined, { now, at: 0 })
      await this.#store.release(reservation)
      return [model, model]
    }
    const actual = reservation.holds.map(({ amount }) => Math.floor((amount * command.part) / 100))
    const at = now - command.age
    const model = this.#naive.end(reservation, actual, { now, at })
    const spent = await this.#store.settle(reservation, actual, at)
    return [spent.length === 0 ? 'ended before' : `settled ${spent.join()}`, model]
  }
}
