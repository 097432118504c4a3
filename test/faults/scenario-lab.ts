import { expect } from 'vitest'
import {
  type Gateway,
  type GatewayOptions,
  type LedgerEntry,
  type ModelOptions,
  createGateway,
} from '../../src/index.js'
import type { HttpResponse } from '../../src/http/message.js'
import { type FakeRequest, type ScriptedAnswer, fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import { createMemoryLedger } from '../../src/stores/memory-ledger.js'
import { type JsonObject, isObject, numberOf, stringOf } from '../../src/wire/json.js'
import { toRead } from '../call/recover-lab.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'
import { textOf as bodyOf } from '../support/gateway.js'

/** The dialects that the fake upstream speaks. */
export const dialects = ['openai', 'anthropic', 'gemini'] as const

/** What every scenario asks: sixty words, with characters of one to four bytes. */
export const question = Array.from({ length: 60 }, (_, at) => (at % 3 === 0 ? `Grüße${at}` : `世界🙂${at}`)).join(' ')
/** What the fake answers to it, whoever is asked. */
export const answerText = `You said: ${question}`

/** What a deployment does with its attempt of that number, counted from 1; undefined: it answers as it should. */
export type Behaviour = (attempt: number, request: FakeRequest) => ScriptedAnswer | undefined

/** The first attempt goes wrong. */
export const once =
  (fault: string): Behaviour =>
  (attempt) =>
    attempt === 1 ? { fault } : undefined
/** Every attempt goes wrong. */
export const always =
  (fault: string): Behaviour =>
  () => ({ fault })

/** One scenario of its own: an upstream, and a gateway with the groups that were named. */
export interface Scenario {
  readonly gateway: Gateway
  /** Ids of the deployments that were asked, in their order, as the upstream saw them. */
  readonly asked: readonly string[]
  /** When each of them arrived, in milliseconds since the epoch. */
  readonly askedAt: readonly number[]
  /** When the latest call began, likewise. */
  readonly startedAt: number
  ask(stream: boolean, own?: object): Promise<Outcome>
  /** What the first call cost: all its rows come at once. */
  bill(): Promise<readonly LedgerEntry[]>
  close(): Promise<void>
}

/** How a scenario differs from one healthy deployment `primary` in the group `main`. */
export interface ScenarioOptions {
  readonly dialect: (typeof dialects)[number]
  /** Words of the table of faults that shape every answer: how bytes are cut. */
  readonly shape?: string
  /** By deployment. */
  readonly behaviours?: Readonly<Record<string, Behaviour>>
  /** Group by deployment, in the order they are asked. @default primary in main, spare in spare */
  readonly deployments?: Readonly<Record<string, string>>
  /** Of every deployment. */
  readonly model?: Partial<ModelOptions>
  /** Of `primary` and `first` alone: limits that only they meet, however busy the machine is. */
  readonly timeouts?: ModelOptions['timeouts']
  readonly gateway?: Partial<GatewayOptions>
  readonly routing?: GatewayOptions['routing']
}

/** What a client got. */
export interface Outcome {
  readonly status: number
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly text: string
  readonly finish: string | undefined
  readonly usage: JsonObject | undefined
  readonly model: string | undefined
  readonly error: JsonObject | undefined
  /** True where the answer came to its proper end: the whole of a body, `[DONE]` of a stream. */
  readonly done: boolean
  /** Why each attempt was made and how it went, as far as the headers of the answer could tell. */
  readonly trail: readonly string[]
}

/** Starts an upstream and a gateway for one test. */
export async function startScenario(options: ScenarioOptions): Promise<Scenario> {
  const { dialect, shape = '', behaviours = {}, model, timeouts } = options
  const { deployments = { primary: 'main', spare: 'spare' }, routing, gateway: own } = options
  const upstream = await startFakeUpstream()
  const asked: string[] = []
  const askedAt: number[] = []
  let startedAt = 0
  const billed: LedgerEntry[] = []
  upstream.onRequest((request) => {
    const deployment = deploymentOf(request)
    asked.push(deployment)
    askedAt.push(request.receivedAt)
    const attempt = asked.filter((other) => other === deployment).length
    const answer = behaviours[deployment]?.(attempt, request)
    const fault = [answer?.fault, shape].filter(Boolean).join('+')
    return { ...answer, fault }
  })
  const gateway = createGateway({
    providers: [fakeProvider(upstream.url, { protocol: dialect })],
    models: Object.entries(deployments).map(([id, modelName], at) => ({
      modelName,
      model: `fake/${id}`,
      id,
      order: at,
      ...model,
      ...(at === 0 && { timeouts }),
    })),
    auth: { identify: () => ({ ...anyCaller, role: 'admin' }) },
    env: {},
    // The shortest waits that jitter allows.
    random: () => 0,
    routing: { fallbacks: { main: ['spare'] }, ...routing },
    stores: { ledger: createMemoryLedger() },
    spend: { onUsage: (entries) => void billed.push(...entries) },
    ...own,
  })
  return {
    gateway,
    asked,
    askedAt,
    get startedAt() {
      return startedAt
    },
    async ask(stream, more = {}) {
      startedAt = Date.now()
      const body = {
        model: 'main',
        messages: [{ role: 'user', content: question }],
        explain: true,
        ...(stream && { stream, stream_options: { include_usage: true } }),
        ...more,
      }
      const response = await gateway.handle(requestOf('POST', '/v1/chat/completions', body))
      if (!response) throw new Error('not served')
      return toOutcome(response)
    },
    async bill() {
      await until('the call is billed', async () => billed.length > 0)
      return billed
    },
    async close() {
      await untilIdle(gateway)
      await gateway.close({ drainMs: 0 })
      await upstream.close()
    },
  }
}

/** Runs one test with a scenario of its own and closes it, however the test ends. */
export async function withScenario(
  options: ScenarioOptions,
  run: (scenario: Scenario) => Promise<void>,
): Promise<void> {
  const scenario = await startScenario(options)
  try {
    await run(scenario)
  } finally {
    await scenario.close()
  }
}

/** Asks every few milliseconds until it is true. @throws Error that says what it is not, after 5 s */
async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 5_000
  while (!(await isTrue())) {
    if (performance.now() > end) throw new Error(`after 5 s still not true: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** Waits until nothing is under way. @throws Error after 5 s */
export function untilIdle(gateway: Gateway): Promise<void> {
  return until('nothing is in flight', async () => (await inFlightOf(gateway)) === 0)
}

/** Attempts under way at all deployments, as an admin is told. */
export async function inFlightOf(gateway: Gateway): Promise<number> {
  const admin = { ...anyCaller, role: 'admin' as const }
  const response = await gateway.handle(requestOf('GET', '/health/deployments'), admin)
  if (response?.status !== 200 || 'stream' in response) return Number.NaN
  return [...String(response.body).matchAll(/"in_flight":(-?\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0)
}

/** The answer is whole: all of the text, one finish reason, usage, the proper end. */
export function expectWhole(outcome: Outcome, text = answerText): void {
  expect(outcome).toMatchObject({ status: 200, error: undefined, done: true, finish: 'stop' })
  expect(outcome.text).toBe(text)
  expect(outcome.usage).toMatchObject({ total_tokens: expect.any(Number) })
}

/** The client was told: no finish reason, no `[DONE]`, and what it got is the beginning of the answer. */
export function expectExplicitError(outcome: Outcome, error: object): void {
  expect(outcome).toMatchObject({ done: false, finish: undefined, error })
  expect(answerText.startsWith(outcome.text)).toBe(true)
}

/** What the assistant had begun to say, in a request that asks for the rest. */
export function begunIn({ body }: FakeRequest): string {
  if (!isObject(body)) return ''
  const turns = [body['messages'], body['contents']].flatMap((list) => (Array.isArray(list) ? list : []))
  const last: unknown = turns.at(-1)
  if (!isObject(last) || (last['role'] !== 'assistant' && last['role'] !== 'model')) return ''
  const content = last['content'] ?? last['parts']
  const parts = Array.isArray(content) ? content.filter(isObject) : [{ text: content }]
  return parts.map(({ text }) => stringOf(text) ?? '').join('')
}

function deploymentOf({ path, body }: FakeRequest): string {
  const inPath = /models\/([^:]+):/.exec(path)?.[1]
  return inPath ?? (isObject(body) ? String(body['model']) : '')
}

/** Reads an answer to its end, as its client does. */
export async function toOutcome(response: HttpResponse): Promise<Outcome> {
  const { status, headers } = response
  const told = { status, headers, trail: trailOf(headers['x-sluice-explain']) }
  const body = await bodyOf(response)
  if ('stream' in response) {
    const { chunks, error, done } = toRead(body)
    const choices = chunks.flatMap(({ choices: some }) => (Array.isArray(some) ? some.filter(isObject) : []))
    const finishes = choices.flatMap((choice) => stringOf(choice['finish_reason']) ?? [])
    expect(finishes.length).toBeLessThanOrEqual(1)
    return {
      ...told,
      text: choices.map(({ delta }) => (isObject(delta) ? (stringOf(delta['content']) ?? '') : '')).join(''),
      finish: finishes[0],
      usage: chunks.flatMap(({ usage }) => (isObject(usage) ? [usage] : []))[0],
      model: stringOf(chunks.at(-1)?.['model']),
      error,
      done,
    }
  }
  const answer: unknown = JSON.parse(body)
  const read = isObject(answer) ? answer : {}
  const [choice] = Array.isArray(read['choices']) ? read['choices'].filter(isObject) : []
  const message = isObject(choice?.['message']) ? choice['message'] : {}
  return {
    ...told,
    text: stringOf(message['content']) ?? '',
    finish: stringOf(choice?.['finish_reason']),
    usage: isObject(read['usage']) ? read['usage'] : undefined,
    model: stringOf(read['model']),
    error: isObject(read['error']) ? read['error'] : undefined,
    done: choice !== undefined,
  }
}

function trailOf(header: string | undefined): string[] {
  const steps: unknown = JSON.parse(header ?? '[]')
  if (!Array.isArray(steps)) return []
  return steps.filter(isObject).map(({ deployment, reason, outcome, status }) => {
    const failure = numberOf(status)
    return [deployment, reason, outcome, ...(failure === undefined ? [] : [failure])].join(' ')
  })
}
