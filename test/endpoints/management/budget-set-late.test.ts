import { afterEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/clock.js'
import { openMemory } from '../../spend/proof-lab.js'
import { type AdminLab, startAdminLab } from './lab.js'

let lab: AdminLab | undefined
afterEach(() => lab?.close())

describe('/key/update', () => {
  it.each([{ max_budget: 0.0001 }, { max_budget: 0.0001, budget_duration: '1d' }])(
    'sets %j, and the calls that are running count in it',
    async (fields) => {
      const proof = openMemory()
      const own = (lab = await startAdminLab({ stores: proof.stores, clock: systemClock }))
      const { body } = await own.send('POST', '/key/generate', {})
      const key = String(body['key'])
      let answer = (): void => {}
      const answered = new Promise<undefined>((resolve) => (answer = () => resolve(undefined)))
      own.upstream.onRequest(() => answered)
      const calls = Array.from({ length: 10 }, () => own.chat(key))
      await own.upstream.received(10)
      expect((await own.send('POST', '/key/update', { key, ...fields })).status).toBe(200)
      // More than the budget has, whatever is left of it.
      expect(await own.chat(key)).toBe(429)
      answer()
      expect(await Promise.all(calls)).toEqual(Array(10).fill(200))
      await own.gateway.spend.flush()
      const [hold] = [...proof.holds.values()].filter(({ kind }) => kind === 'budget')
      const levels = await proof.stores.counters.read('all', hold ? [hold] : [])
      const { entries } = await proof.stores.ledger.query({})
      const spent = entries.reduce((sum, { charged }) => sum + charged, 0n)
      expect(entries).toHaveLength(10)
      expect(levels).toMatchObject([{ used: Number(spent / 1_000n), held: 0 }])
      expect(await own.chat(key)).toBe(429)
    },
  )
})
