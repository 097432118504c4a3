import type { Gateway, GatewayOptions, LedgerEntry, ModelOptions } from '../../src/index.js'
import { expect } from 'vitest'
import { fakeProvider } from '../../src/testing/index.js'
import { anyCaller } from '../support/deployment.js'
import { type GatewayLab, ask, chat, textOf } from '../support/gateway.js'
import { requestOf } from '../support/http-request.js'
import { type ProofStores, chargedOf, levelsOf, openMemory, price, rowsOf } from './proof-lab.js'

const model = (modelName: string, fault: string, own: Partial<ModelOptions> = {}): ModelOptions => ({
  modelName,
  model: `fake/${fault}`,
  prices: price,
  ...own,
})

const models: readonly ModelOptions[] = [
  model('main', 'main'),
  model('down', 'status-500'),
  model('cut', 'cut-3'),
  model('garbled', 'malformed-3'),
  model('silent', 'hang', { timeouts: { headers: 80, firstToken: 80, total: 200 } }),
  model('stalling', 'stall-3', { timeouts: { idle: 80, total: 300 } }),
  model('slow', 'slow-2000ms'),
  model('long', 'words-80+trickle-10ms'),
  { modelName: 'claude', model: 'claude/words-80+trickle-10ms', prices: price },
  model('pair', 'slow-1000ms', { id: 'slow-one', order: 1 }),
  model('pair', 'main', { id: 'quick-one', order: 2 }),
  model('broken', 'cut-3', { id: 'cut-one', order: 1 }),
  model('broken', 'main', { id: 'whole-one', order: 2 }),
]

const budget = { maxBudget: 1 }
const scopes = [
  { kind: 'team', id: 't', budget, rpm: 100, tpm: 1_000_000, maxParallelRequests: 10 },
  { kind: 'key', id: 'k', budget, modelBudgets: { '*': budget } },
] as const

/** Settings of a gateway on trial. */
export type MatrixOptions = Partial<GatewayOptions>

/** A gateway on trial, and what it keeps its records in. */
export interface MatrixTrial {
  readonly gateway: Gateway
  readonly proof: ProofStores
}

/** Starts a gateway whose callers have every kind of budget and limit, with an upstream that has forgotten everything. */
export function startMatrix(lab: GatewayLab, own: MatrixOptions = {}, proof = openMemory()): MatrixTrial {
  lab.upstream.reset()
  const gateway = lab.start(models, {
    providers: [
      fakeProvider(lab.upstream.url),
      fakeProvider(lab.upstream.url, { name: 'claude', protocol: 'anthropic' }),
    ],
    auth: { identify: () => ({ ...anyCaller, scopes }) },
    retries: 0,
    stores: proof.stores,
    spend: { models: Object.fromEntries(models.map(({ modelName }) => [modelName, { budget }])) },
    ...own,
  })
  return { gateway, proof }
}

/** What is true however calls went: nothing is held, and every budget has spent what the rows say. */
export async function settled({ gateway, proof }: MatrixTrial): Promise<readonly LedgerEntry[]> {
  await gateway.close({ drainMs: 0 })
  const rows = await rowsOf(proof.stores.ledger)
  for (const { kind, counter, used, held } of await levelsOf(proof)) {
    expect({ counter, held }).toEqual({ counter, held: 0 })
    // A fallback's model pays for what it answered itself; everything else for the whole call.
    const model = /^budget:model:(\w+):/.exec(counter)?.[1]
    const ofModel = rows.filter(({ scopes: refs }) => refs.some(({ kind: of, id }) => of === 'model' && id === model))
    const charged = chargedOf(model === undefined ? rows : ofModel)
    if (kind === 'budget') expect({ counter, used }).toEqual({ counter, used: Number(charged / 1_000n) })
  }
  expect(await proof.stores.ledger.total({ kind: 'team', id: 't' }, 0)).toBe(chargedOf(rows))
  // Rows of one call have one date.
  return rows.toSorted((one, other) => Number(other.aborted) - Number(one.aborted))
}

/** Where the calls go. */
export const path = '/v1/chat/completions'

/** Makes one call, and gives the text of its answer. */
export async function call(gateway: Gateway, modelName: string, stream: boolean): Promise<string> {
  return textOf(await ask(gateway, 'POST', path, chat(modelName, { stream, max_tokens: 100 })))
}

/** Asks, and leaves: a whole answer before it is there, a stream after its first pieces. */
export async function leave(
  lab: GatewayLab,
  modelName: string,
  { gateway, stream }: { readonly gateway: Gateway; readonly stream: boolean },
): Promise<void> {
  const leaving = new AbortController()
  const body = chat(modelName, { stream, max_tokens: 100 })
  const answering = gateway.handle(requestOf('POST', path, body, { signal: leaving.signal }))
  await lab.upstream.received(1)
  if (!stream) {
    leaving.abort()
    await answering
    return
  }
  const answer = await answering
  if (!answer || !('stream' in answer)) throw new Error('no stream')
  let pieces = 0
  for await (const _ of answer.stream) if (++pieces === 5) break
}

/** One cell of the matrix: what happens to a call, and what the ledger has of it. */
export interface Outcome {
  readonly run: (lab: GatewayLab, gateway: Gateway, stream: boolean) => Promise<unknown>
  readonly options?: () => MatrixOptions
  /** What the rows are like, the earliest attempt first. */
  readonly rows: readonly object[]
}

/** A row of a whole answer. */
export const answered = { aborted: false, estimated: false, status: 200, priced: true }
/** A row of an answer that broke off. */
export const cutOff = { aborted: true, estimated: true }
const fail = (): never => {
  throw new Error('the host is broken')
}

function failsOnce(): () => void {
  let calls = 0
  return () => {
    if (calls++ === 0) fail()
  }
}

/** Calls whose every row is as exact as the bill. */
export const exactOutcomes: Readonly<Record<string, Outcome>> = {
  'an answer': { run: (_, gateway, stream) => call(gateway, 'main', stream), rows: [answered] },
  'an error of the provider': { run: (_, gateway, stream) => call(gateway, 'down', stream), rows: [] },
  'a retry after an error': {
    options: () => ({ retries: 2 }),
    run(lab, gateway, stream) {
      lab.upstream.script('status-503', 'reset', { fault: '' })
      return call(gateway, 'main', stream)
    },
    rows: [answered],
  },
  'a fallback': {
    options: () => ({ routing: { fallbacks: { down: ['main'] } } }),
    run: (_, gateway, stream) => call(gateway, 'down', stream),
    rows: [answered],
  },
  'a credentials hook that throws': {
    options: () => ({ credentials: fail }),
    run: (_, gateway, stream) => call(gateway, 'main', stream),
    rows: [],
  },
  'hooks for events and usage that throw': {
    options: () => ({ onEvent: fail, spend: { onUsage: failsOnce() } }),
    run: (_, gateway, stream) => call(gateway, 'main', stream),
    rows: [answered],
  },
}
