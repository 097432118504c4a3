import { afterEach, describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import type { RouterReport, RouterStore } from '../../src/ports/router-store.js'
import { defaultCooldown } from '../../src/router/cooldown.js'
import { Member } from '../../src/router/model-group.js'
import { type RouterState, createRouterState } from '../../src/router/router-state.js'
import { type SharedState, shareState } from '../../src/router/share-state.js'
import { deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'

const logger = { debug() {}, info() {}, warn() {}, error() {} }
const deployment = deploymentOf({ id: 'a' })

/** A store in memory that gives to every process what others have told since it asked last. */
class Hub {
  readonly told: RouterReport[] = []
  readonly #read = new Map<string, number>()
  readonly #listeners = new Set<() => void>()
  exchanges = 0
  isDown = false

  open(pushes: boolean): RouterStore {
    return {
      exchange: (process, report) => this.#exchange(process, report),
      ...(pushes && { watch: (onNews: () => void) => this.#watch(onNews) }),
    }
  }

  async #exchange(process: string, report: RouterReport | undefined): Promise<readonly RouterReport[]> {
    this.exchanges += 1
    if (this.isDown) throw new Error('away')
    const news = this.told.slice(this.#read.get(process) ?? 0).filter((one) => one.process !== process)
    if (report) this.told.push(report)
    this.#read.set(process, this.told.length)
    if (report) for (const listener of this.#listeners) listener()
    return news
  }

  #watch(onNews: () => void): () => void {
    this.#listeners.add(onNews)
    return () => this.#listeners.delete(onNews)
  }
}

interface Process {
  readonly state: RouterState
  readonly member: Member
  readonly sharing: SharedState
}

const clock = new FakeClock()
const opened: Process[] = []
afterEach(() => {
  for (const { sharing } of opened.splice(0)) sharing.close()
})

function open(hub: Hub, pushes = false): Process {
  const state = createRouterState({ clock, cooldown: defaultCooldown, emit: () => {} })
  const member = new Member(deployment, state.of('a'))
  const sharing = shareState({ state, store: hub.open(pushes), clock, logger })
  const process = { state, member, sharing }
  opened.push(process)
  return process
}

/** Lets time pass in steps, so that what is awaited meanwhile happens at its time. */
async function pass(milliseconds: number): Promise<void> {
  for (let left = milliseconds; left > 0; left -= 10) {
    clock.advance(Math.min(10, left))
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const refused = new GatewayError('rate_limited', 'no', { retryAfterMs: 20_000 })

describe.each([
  ['asks', false],
  ['is told', true],
] as const)('a process that %s', (_, pushes) => {
  it('knows of a cooldown within 250 ms, and until exactly when', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    await pass(300)
    near.state.failed(near.member, refused, true)
    await pass(250)
    const until = near.member.state.coolingUntil
    expect(until - clock.now()).toBe(20_000 - 250)
    expect(far.member.state).toMatchObject({ coolingUntil: until, cause: { kind: 'rate_limited', status: 429 } })
    expect(far.member.state.isOpen(until - 1)).toBe(false)
  })

  it('knows within 250 ms that a deployment works again', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    near.state.failed(near.member, refused, true)
    await pass(250)
    near.state.recovered(near.member)
    await pass(250)
    expect(far.member.state.isOpen(clock.now())).toBe(true)
  })

  it('counts what the others have in flight, and nothing of those that died', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    const probe = near.state.begin(near.member)
    await pass(8_000)
    expect(far.member.state.inFlight).toBe(1)
    near.state.end(near.member, probe)
    await pass(250)
    expect(far.member.state.inFlight).toBe(0)
    near.state.begin(near.member)
    await pass(250)
    near.sharing.close()
    await pass(6_500)
    expect(far.member.state.inFlight).toBe(0)
  })

  it('counts requests and tokens of the others to the end of their minute, also when they have gone quiet', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    await pass(60_000 - (clock.now() % 60_000))
    for (let call = 0; call < 7; call += 1) {
      const probe = near.state.begin(near.member)
      near.state.succeeded(near.member, { totalTokens: 10 })
      near.state.end(near.member, probe)
    }
    for (const at of [250, 10_000, 40_000]) {
      await pass(at - (clock.now() % 60_000))
      const now = clock.now()
      expect([at, far.member.state.requests(now), far.member.state.tokens(now)]).toEqual([at, 7, 70])
    }
    await pass(20_000)
    expect(far.member.state.requests(clock.now())).toBe(0)
  })

  it('leaves the first try after a cooldown to who decided on it, as long as that lasts', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    near.state.failed(near.member, refused, true)
    await pass(20_000)
    expect([near, far].map((one) => one.member.state.isOpen(clock.now()))).toEqual([true, false])
    const probe = near.state.begin(near.member)
    expect(probe).toBe(true)
    await pass(3_000)
    expect([near, far].map((one) => one.member.state.isOpen(clock.now()))).toEqual([false, false])
    near.state.end(near.member, probe)
    near.state.recovered(near.member)
    await pass(250)
    expect(far.member.state.isOpen(clock.now())).toBe(true)
  })

  it('leaves it to that one also after it told of the same deployment itself', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    const probe = far.state.begin(far.member)
    near.state.failed(near.member, refused, true)
    await pass(250)
    far.state.end(far.member, probe)
    await pass(20_000 - 250)
    expect([near, far].map((one) => one.member.state.isOpen(clock.now()))).toEqual([true, false])
  })

  it('takes the later of two decisions, whichever it hears of first', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    near.state.failed(near.member, refused, true)
    clock.advance(10)
    far.state.failed(far.member, new GatewayError('upstream_authentication', 'no'), true)
    const until = clock.now() + 5_000
    await pass(500)
    for (const { member } of [near, far]) {
      expect(member.state).toMatchObject({ coolingUntil: until, cause: { kind: 'upstream_authentication' } })
    }
  })

  it('takes its turn where whoever decided on a cooldown has no calls, and lets nobody else try meanwhile', async () => {
    const hub = new Hub()
    const [near, ...others] = [open(hub, pushes), open(hub, pushes), open(hub, pushes)]
    for (const other of others) other.state.end(other.member, other.state.begin(other.member))
    near?.state.failed(near.member, refused, true)
    await pass(20_490)
    const openOnes = (): Process[] => others.filter((one) => one.member.state.isOpen(clock.now()))
    expect(openOnes()).toEqual([])
    await pass(20)
    const [trying, ...rest] = openOnes()
    expect(rest).toEqual([])
    trying?.state.begin(trying.member)
    await pass(2_000)
    expect(openOnes()).toEqual([])
  })

  it('waits for no other process while nobody can be heard', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    near.state.failed(near.member, refused, true)
    await pass(19_000)
    hub.isDown = true
    far.state.end(far.member, far.state.begin(far.member))
    await pass(1_000)
    expect([near, far].map((one) => one.member.state.isOpen(clock.now()))).toEqual([true, true])
  })

  it('keeps nothing of deployments that it does not have, and learns what was told of one that it gets', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    far.state.forget('a')
    near.state.failed(near.member, refused, true)
    near.state.begin(near.member)
    await pass(1_000)
    expect([...far.state.all]).toEqual([])
    const late = far.state.of('a')
    await pass(1_000)
    expect(late).toMatchObject({ coolingUntil: near.member.state.coolingUntil, inFlight: 1 })
  })

  it('goes on by itself while the store is away, and loses nothing of it', async () => {
    const hub = new Hub()
    const [near, far] = [open(hub, pushes), open(hub, pushes)]
    await pass(300)
    hub.isDown = true
    near.state.failed(near.member, refused, true)
    await pass(3_000)
    expect(near.member.state.isOpen(clock.now())).toBe(false)
    expect(far.member.state.isOpen(clock.now())).toBe(true)
    hub.isDown = false
    await pass(1_500)
    expect(far.member.state.coolingUntil).toBe(near.member.state.coolingUntil)
  })

  it('asks at most ten times a second, however much happens, and seldom where nothing does', async () => {
    const hub = new Hub()
    const near = open(hub, pushes)
    await pass(1_000)
    hub.exchanges = 0
    await pass(10_000)
    expect(hub.exchanges).toBeLessThanOrEqual(pushes ? 10 : 100)
    hub.exchanges = 0
    for (let call = 0; call < 500; call += 1) {
      const probe = near.state.begin(near.member)
      await pass(20)
      near.state.end(near.member, probe)
    }
    expect(hub.exchanges).toBeLessThanOrEqual(100)
  })
})
