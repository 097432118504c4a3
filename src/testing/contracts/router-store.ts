import { deepEqual, equal, ok } from 'node:assert/strict'
import type { CooldownReport, DeploymentReport, RouterReport, RouterStore } from '../../ports/router-store.js'
import type { Contract, Trial } from './contract.js'
import { heardSoon } from './heard-soon.js'

/** What every RouterStore must do. */
export const routerStoreContract: Contract<RouterStore> = {
  name: 'a router store',
  clauses: {
    async 'has nothing to tell at first'({ store }) {
      deepEqual(await store.exchange('one', undefined), [])
    },
    async 'tells the others what a process did with a deployment, every number as it was'(trial) {
      const { store, peer } = trial
      const deployment = load(trial, { inFlight: 7, tokens: 9_007_199_254_740_991, firstTokenMs: 12.345678901234567 })
      await store.exchange('one', report('one', [deployment]))
      deepEqual(plain(await peer.exchange('two', undefined)), plain([report('one', [deployment])]))
    },
    async 'does not tell a process what it told itself'(trial) {
      const { store } = trial
      deepEqual(await store.exchange('one', report('one', [load(trial)], [rest(trial)])), [])
      deepEqual(await store.exchange('one', undefined), [])
    },
    async 'tells each process everything once'(trial) {
      const { store, peer } = trial
      await store.exchange('one', report('one', [load(trial)]))
      equal((await peer.exchange('two', undefined)).length, 1)
      deepEqual(await peer.exchange('two', undefined), [])
      equal((await peer.exchange('three', undefined)).length, 1)
    },
    async 'tells of a cooldown once, however often it is told'(trial) {
      const { store, peer } = trial
      const told = report('one', [], [rest(trial)])
      await store.exchange('one', told)
      await peer.exchange('two', undefined)
      await store.exchange('one', told)
      deepEqual(await peer.exchange('two', undefined), [])
    },
    async 'tells of a deployment again where a process says the same of it again, as a sign of life'(trial) {
      const { store, peer } = trial
      const told = report('one', [load(trial)])
      for (let times = 0; times < 3; times++) {
        await store.exchange('one', told)
        deepEqual(plain(await peer.exchange('two', undefined)), plain([told]))
      }
    },
    async 'gives only the latest of several reports'(trial) {
      const { store, peer } = trial
      for (const inFlight of [1, 2, 3]) await store.exchange('one', report('one', [load(trial, { inFlight })]))
      const [told, ...others] = await peer.exchange('two', undefined)
      deepEqual(
        told?.deployments.map(({ inFlight }) => inFlight),
        [3],
      )
      deepEqual(others, [])
    },
    async 'keeps what processes did with one deployment apart'(trial) {
      const { store, peer } = trial
      await store.exchange('one', report('one', [load(trial, { inFlight: 1 })]))
      await peer.exchange('two', report('two', [load(trial, { inFlight: 2 })]))
      const told = await store.exchange('three', undefined)
      deepEqual(
        new Map(told.map(({ process, deployments }) => [process, deployments[0]?.inFlight])),
        new Map([
          ['one', 1],
          ['two', 2],
        ]),
      )
    },
    async 'takes processes whose names begin alike, and ids of any script'(trial) {
      const { store, peer } = trial
      const names = (reports: readonly RouterReport[]): string[] => reports.map(({ process }) => process)
      await store.exchange('a', report('a', [load(trial, { id: 'b"\n{}ключ' })]))
      deepEqual(names(await peer.exchange('a"b', report('a"b', [load(trial, { id: 'x' })]))), ['a'])
      deepEqual(names(await store.exchange('a', undefined)), ['a"b'])
    },
    async 'tells of a cooldown, also a process that starts later'(trial) {
      const { store, peer } = trial
      await peer.exchange('two', undefined)
      const cooldown = rest(trial)
      await store.exchange('one', report('one', [], [cooldown]))
      deepEqual(cooldownsOf(await peer.exchange('two', undefined)), [cooldown])
      deepEqual(cooldownsOf(await peer.exchange('new', undefined)), [cooldown])
    },
    async 'does not tell a new process of a cooldown that is over'(trial) {
      const { store, peer, pass, now } = trial
      await store.exchange('one', report('one', [], [rest(trial, { until: now() + 100 })]))
      await pass(300)
      deepEqual(cooldownsOf(await peer.exchange('new', undefined)), [])
    },
    async 'ends a cooldown for all where one process says so'(trial) {
      const { store, peer, now } = trial
      await store.exchange('one', report('one', [], [rest(trial)]))
      await peer.exchange('two', undefined)
      const end = rest(trial, { at: now() + 1, until: 0 })
      await store.exchange('one', report('one', [], [end]))
      deepEqual(cooldownsOf(await peer.exchange('two', undefined)), [end])
      deepEqual(cooldownsOf(await peer.exchange('new', undefined)), [])
    },
    async 'lets the later decision win, whichever comes first'(trial) {
      const { store, peer, now } = trial
      const [early, late] = [rest(trial), rest(trial, { at: now() + 50, until: 0 })]
      await store.exchange('one', report('one', [], [late]))
      await peer.exchange('two', report('two', [], [early]))
      deepEqual(cooldownsOf(await store.exchange('new', undefined)), [])
      const later = rest(trial, { at: now() + 100, status: 503 })
      await peer.exchange('two', report('two', [], [later]))
      deepEqual(cooldownsOf(await store.exchange('newer', undefined)), [later])
    },
    async 'drops what a process has in flight within 5 s of its death, and keeps its counts'(trial) {
      const { store, peer, now } = trial
      const told = load(trial, { inFlight: 3, requests: 11, tokens: 500 })
      await store.exchange('dying', report('dying', [told]))
      equal((await peer.exchange('two', undefined))[0]?.deployments[0]?.inFlight, 3)
      const until = now() + 5_000
      let news: readonly RouterReport[] = []
      while (news.length === 0 && now() < until) {
        await trial.pass(250)
        news = await peer.exchange('two', undefined)
      }
      deepEqual(plain(news), plain([report('dying', [{ ...told, inFlight: 0 }])]))
    },
    async 'keeps what a process has in flight while that goes on asking'(trial) {
      const { store, peer } = trial
      await store.exchange('one', report('one', [load(trial, { inFlight: 3 })]))
      await peer.exchange('two', undefined)
      for (let times = 0; times < 6; times++) {
        await trial.pass(900)
        await store.exchange('one', undefined)
        deepEqual(await peer.exchange('two', undefined), [])
      }
      equal((await peer.exchange('new', undefined))[0]?.deployments[0]?.inFlight, 3)
    },
    async 'counts again what a process has in flight that was only slow'(trial) {
      const { store, peer } = trial
      await store.exchange('slow', report('slow', [load(trial, { inFlight: 3 })]))
      await trial.pass(5_500)
      equal((await peer.exchange('two', undefined))[0]?.deployments[0]?.inFlight, 0)
      await store.exchange('slow', undefined)
      await store.exchange('slow', undefined)
      equal((await peer.exchange('two', undefined))[0]?.deployments[0]?.inFlight, 3)
    },
    async 'calls those who watch when another process has told something, where it can'(trial) {
      const { store, peer } = trial
      if (!store.watch || !peer.watch) return
      let calls = 0
      await peer.exchange('two', undefined)
      const end = peer.watch(() => void calls++)
      let inFlight = 0
      await heardSoon(async () => {
        await store.exchange('one', report('one', [load(trial, { inFlight: ++inFlight })]))
        return calls > 0
      })
      ok((await peer.exchange('two', undefined)).length > 0)
      end()
      const before = calls
      await store.exchange('one', report('one', [load(trial, { inFlight: ++inFlight })]))
      await trial.pass(100)
      equal(calls, before)
    },
    async 'does not call those who watch for what they told themselves'(trial) {
      const { store, peer } = trial
      if (!store.watch) return
      let calls = 0
      const end = store.watch(() => void calls++)
      let inFlight = 0
      await heardSoon(async () => {
        await peer.exchange('two', report('two', [load(trial, { inFlight: ++inFlight })]))
        return calls > 0
      })
      await trial.pass(100)
      const before = calls
      for (const requests of [1, 2, 3]) await store.exchange('one', report('one', [load(trial, { requests })]))
      await trial.pass(100)
      end()
      equal(calls, before)
    },
  },
}

function load({ now }: Trial<RouterStore>, fields: Partial<DeploymentReport> = {}): DeploymentReport {
  const minute = Math.floor(now() / 60_000)
  return { id: 'd1', inFlight: 1, minute, requests: 5, tokens: 100, firstTokenMs: 20, perTokenMs: undefined, ...fields }
}

function rest({ now }: Trial<RouterStore>, fields: Partial<CooldownReport> = {}): CooldownReport {
  return { id: 'd1', at: now(), until: now() + 60_000, kind: 'rate_limited', status: 429, ...fields }
}

function report(
  process: string,
  deployments: readonly DeploymentReport[],
  cooldowns: readonly CooldownReport[] = [],
): RouterReport {
  return { process, deployments, cooldowns }
}

function cooldownsOf(reports: readonly RouterReport[]): CooldownReport[] {
  return reports.flatMap(({ cooldowns }) => cooldowns)
}

/** Undefined and missing are one. */
function plain(reports: readonly RouterReport[]): unknown {
  return JSON.parse(JSON.stringify(reports))
}
