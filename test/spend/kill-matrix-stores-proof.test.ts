import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type GatewayLab, startGatewayLab } from '../support/gateway.js'
import {
  type MatrixOptions,
  type MatrixTrial,
  answered,
  call,
  cutOff,
  exactOutcomes,
  leave,
  settled,
  startMatrix,
} from './kill-matrix-lab.js'
import { type ProofStores, billOf, chargedOf, cutStores, levelsOf, proofStores } from './proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const streams = [false, true]

/** Stores that are there, opened once and emptied for every trial. */
async function openAll<Stores extends ProofStores>(
  all: Readonly<Record<string, () => Promise<Stores | undefined>>>,
): Promise<readonly { readonly name: string; readonly proof: Stores }[]> {
  const opened = await Promise.all(Object.entries(all).map(async ([name, open]) => ({ name, proof: await open() })))
  return opened.flatMap(({ name, proof }) => (proof ? [{ name, proof }] : []))
}

const { memory: _, ...shared } = proofStores
const stores = await openAll(shared)
const cut = await openAll(cutStores)
// Here rather than in the suites: it runs although a filter skips them.
afterAll(() => Promise.all([...stores, ...cut].map(({ proof }) => proof.close())))

describe.each(stores)('with counters in $name', ({ proof }) => {
  async function start(own?: MatrixOptions): Promise<MatrixTrial> {
    await proof.clear()
    return startMatrix(lab, own, proof)
  }

  describe.each(streams)('with stream: %s', (stream) => {
    it.each(Object.entries(exactOutcomes))('%s costs what the provider bills', async (_name, outcome) => {
      const { run, options, rows } = outcome
      const trial = await start(options?.())
      await run(lab, trial.gateway, stream)
      const written = await settled(trial)
      expect(written).toMatchObject(rows)
      expect(chargedOf(written)).toBe(billOf(lab.upstream))
    })

    it.each(['cut', 'silent', 'stalling'])('%s: what broke off is one row, and held no longer', async (name) => {
      const trial = await start()
      await call(trial.gateway, name, stream)
      expect(await settled(trial)).toMatchObject([{ ...cutOff, failure: expect.any(String) }])
    })

    it('a client that leaves pays for what came until then', async () => {
      const trial = await start()
      await leave(lab, stream ? 'long' : 'slow', { gateway: trial.gateway, stream })
      expect(await settled(trial)).toMatchObject([cutOff])
    })
  })
})

describe.each(cut)('with counters in a $name that is killed', ({ proof }) => {
  it.each(streams)('while a call runs: it ends, and is settled as it was billed; with stream: %s', async (stream) => {
    await proof.clear()
    const trial = startMatrix(lab, {}, proof)
    lab.upstream.onRequest(() => {
      proof.proxy.cut()
      return undefined
    })
    expect(await call(trial.gateway, 'main', stream)).toContain(stream ? '[DONE]' : '"finish_reason":"stop"')
    lab.upstream.onRequest(undefined)
    // One that comes meanwhile is counted in this process, and in the ledger.
    await call(trial.gateway, 'main', stream)
    proof.proxy.mend()
    const isHeld = async (): Promise<boolean> => (await levelsOf(proof)).some(({ held }) => held !== 0)
    while (await isHeld().catch(() => true)) await pause(50)
    await trial.gateway.spend.flush()
    await trial.gateway.close()
    const rows = await settled(trial)
    expect(rows).toMatchObject([answered, answered])
    expect(chargedOf(rows)).toBe(billOf(lab.upstream))
  })
})
