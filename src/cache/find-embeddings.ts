import type { EmbeddingResponse } from '../wire/embeddings.js'
import { type CacheCore, refuseToAsk } from './cache-core.js'
import type { CachePlan, CacheQuestion, Producer } from './cache-plan.js'
import {
  type AnswerPart,
  digestItem,
  itemsOf,
  joinAnswer,
  type KeptVector,
  splitAnswer,
  toKeptVector,
  withItems,
} from './embedding-items.js'
import type { StoredAnswer } from './entry.js'
import { bypassWhole, toWholeHit } from './find-whole.js'
import type { Flight } from './flights.js'
import type { WholeHit, WholeMiss, WrittenAnswer } from './found.js'

type Question = CacheQuestion<'embeddings'>

/** The inputs of a request, each with its digest and, where one was found, its vector. */
interface Lookup {
  readonly items: readonly unknown[]
  readonly digests: readonly string[]
  readonly kept: readonly (KeptVector | undefined)[]
}

/**
 * Looks vectors up, one for each input, so that of a batch only the inputs that were not found are asked for.
 * @throws GatewayError permission, not_cached, client_closed
 */
export async function findEmbeddings(
  question: Question,
  core: CacheCore,
): Promise<WholeHit<'embeddings'> | WholeMiss<'embeddings'>> {
  const plan = core.planFor(question, false)
  const inputs = plan && readInputs(question, plan)
  if (!plan || !inputs) return bypassWhole(question)
  const { flight, landed } = await core.takeSeat(plan, question)
  const landedHit = landed && toWholeHit<'embeddings'>(plan, landed, core)
  if (landedHit) return landedHit
  const keys = inputs.digests.map((digest) => plan.keyFor(digest))
  const found = (await core.read(keys, plan)).map(toKeptVector)
  const lookup: Lookup = { ...inputs, kept: ofOneModel(found) }
  const source = sourceOf(lookup)
  if (source) {
    const body = joinAnswer(lookup.kept, undefined)
    const whole: StoredAnswer = { ...source, kind: 'whole', usage: body.usage, text: JSON.stringify(body) }
    flight?.land(whole)
    flight?.leave()
    return { ...core.toHit(plan, whole), answer: { body, written: whole.text } }
  }
  refuseToAsk(question)
  return new EmbeddingMiss({ question, lookup, plan, flight, core })
}

function readInputs(question: Question, plan: CachePlan): Omit<Lookup, 'kept'> | undefined {
  const items = itemsOf(question.request.input)
  const shared = items && plan.digestOf({ ...question.request, input: null })
  if (!items || shared === undefined) return undefined
  const digests = items.map((item) => digestItem(shared, item))
  return digests.every((digest) => digest !== undefined) ? { items, digests } : undefined
}

/** Vectors of two models say nothing to each other; those that are not of the first one's count as not found. */
function ofOneModel(found: readonly (KeptVector | undefined)[]): readonly (KeptVector | undefined)[] {
  const first = found.find((one) => one !== undefined)?.answer
  return found.map((one) => (one && first && isSameModel(one.answer, first) ? one : undefined))
}

function isSameModel(one: Model, other: Model): boolean {
  return one.provider === other.provider && one.model === other.model
}

type Model = Pick<StoredAnswer, 'provider' | 'model'>

/** The oldest of the vectors stands for all; undefined where one is missing. */
function sourceOf({ kept }: Lookup): StoredAnswer | undefined {
  const answers = kept.map((one) => one?.answer)
  return answers.reduce((oldest, answer) => (answer && oldest && answer.at < oldest.at ? answer : answer && oldest))
}

interface MissParts {
  readonly question: Question
  readonly lookup: Lookup
  readonly plan: CachePlan
  readonly flight: Flight<StoredAnswer> | undefined
  readonly core: CacheCore
}

class EmbeddingMiss implements WholeMiss<'embeddings'> {
  readonly key: string
  readonly #parts: MissParts
  #kept: Lookup['kept']
  #shared = false

  constructor(parts: MissParts) {
    this.#parts = parts
    this.#kept = parts.lookup.kept
    this.key = parts.plan.key
  }

  get status(): 'miss' | 'partial' {
    return this.#first ? 'partial' : 'miss'
  }

  get request(): Question['request'] {
    const { request } = this.#parts.question
    return this.#first ? withItems(request, this.#missing(this.#parts.lookup.items)) : request
  }

  keep(answer: WrittenAnswer<'embeddings'>, producer: Producer): WrittenAnswer<'embeddings'> | undefined {
    const first = this.#first
    if (first && !isSameModel(first, producer.deployment)) {
      this.#kept = this.#kept.map(() => undefined)
      return undefined
    }
    const parts = splitAnswer(answer.body, this.#missing(this.#parts.lookup.items))
    // An answer that is no vector for each input is passed on as it is; the codec has its own say about it.
    if (!parts) return answer
    const whole = first ? { body: joinAnswer(this.#kept, answer.body), written: undefined } : answer
    if (this.#parts.plan.mayKeep(producer)) this.#share(whole.body, parts, producer)
    return whole
  }

  release(): void {
    if (!this.#shared) this.#parts.flight?.leave()
  }

  #share(body: EmbeddingResponse, parts: readonly AnswerPart[], producer: Producer): void {
    const { core, plan, flight, lookup } = this.#parts
    const origin = core.originOf(producer)
    const digests = this.#missing(lookup.digests)
    const entries = parts.map((part, position) => {
      const key = plan.keyFor(digests[position] ?? '', producer)
      return [key, { ...origin, ...part, kind: 'item' }] as const
    })
    this.#shared = true
    const text = flight ? JSON.stringify(body) : ''
    core.keep({ answer: { ...origin, kind: 'whole', usage: body.usage, text }, entries }, plan, flight)
  }

  get #first(): StoredAnswer | undefined {
    return this.#kept.find((one) => one !== undefined)?.answer
  }

  #missing<T>(list: readonly T[]): readonly T[] {
    return list.filter((_, position) => this.#kept[position] === undefined)
  }
}
