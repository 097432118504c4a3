import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChatRequest, type Gateway } from '../../src/index.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, chat, startGatewayLab } from '../support/gateway.js'
import { chargedOf, heldByOne, levelsOf, price, proofStores, rowsOf } from './proof-lab.js'

let lab: GatewayLab
beforeAll(async () => {
  lab = await startGatewayLab()
})
afterAll(() => lab.close())

const models = [{ modelName: 'main', model: 'fake/main', prices: price }]
const request = ChatRequest.parse(chat('main', { max_tokens: 5 }))
const calls = 500
const fits = 37

const callerWith = (maxBudget: number) => ({
  ...anyCaller,
  scopes: [{ kind: 'team', id: 'acme', budget: { maxBudget } } as const],
})

/** Lets nobody have an answer before it is known of every call whether it was let in. */
async function storm(gateway: Gateway, maxBudget: number) {
  const before = lab.upstream.requests.length
  let refused = 0
  let look = (): void => {}
  const decided = new Promise<void>((resolve) => {
    look = () => {
      if (refused + lab.upstream.requests.length - before >= calls) resolve()
    }
  })
  lab.upstream.onRequest(async () => {
    look()
    await decided
    return undefined
  })
  const outcomes = await Promise.allSettled(
    Array.from({ length: calls }, () =>
      gateway.call('chat', request, callerWith(maxBudget)).catch((error: unknown) => {
        refused += 1
        look()
        throw error
      }),
    ),
  )
  lab.upstream.onRequest(undefined)
  return {
    admitted: outcomes.filter(({ status }) => status === 'fulfilled').length,
    codes: new Set(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []))),
    asked: lab.upstream.requests.length - before,
  }
}

describe.each(Object.entries(proofStores))(
  '500 calls at once and a budget for 37, with counters in %s',
  { timeout: 60_000 },
  (_, open) => {
    it('lets in exactly 37, and spends what the ledger says', async (context) => {
      const proof = await open()
      if (!proof) return context.skip()
      const { stores } = proof
      try {
        const limit = (await heldByOne(lab.upstream, request)) * fits
        const gateway = lab.start(models, { stores })
        const { admitted, asked, codes } = await storm(gateway, limit / 1e9)
        await gateway.close()
        expect({ admitted, asked, codes: [...codes] }).toEqual({
          admitted: fits,
          asked: fits,
          codes: ['budget_exceeded'],
        })
        const rows = await rowsOf(stores.ledger)
        const charged = chargedOf(rows)
        expect(rows).toHaveLength(fits)
        expect(charged).toBeGreaterThan(0n)
        expect(charged).toBeLessThanOrEqual(BigInt(limit) * 1_000n)
        expect(await stores.ledger.total({ kind: 'team', id: 'acme' }, 0)).toBe(charged)
        expect(await levelsOf(proof)).toEqual([
          expect.objectContaining({ kind: 'budget', used: Number(charged / 1_000n), held: 0 }),
        ])
      } finally {
        await proof.close()
      }
    })
  },
)
