import { capabilitiesOf } from '../../catalog/capabilities.js'
import {
  type Price,
  type PriceBook,
  type PriceLookup,
  PriceOptions,
  type PriceSource,
  lowerLimit,
  raiseToLimit,
  toPrice,
} from '../../catalog/prices/index.js'
import { type Searching, searchingOf } from '../../catalog/searching-models.js'
import { createInputEstimator } from '../../catalog/token-estimate.js'
import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import type { Estimate } from '../../limits/holds.js'
import type { Clock } from '../../ports.js'
import type { ModelGroup } from '../../router/model-group.js'
import type { AttemptEntry } from '../../router/trail.js'
import {
  type CostEstimate,
  type CostReport,
  type OutputBound,
  type PlannedCall,
  estimateCost,
  outputBound,
  toBounds,
} from '../../spend/index.js'
import type { Registry } from '../../providers/registry.js'
import { isObject, type JsonObject, memberAt, stringOf } from '../../wire/json.js'
import { mayContinue } from '../continue-request.js'
import type { ReasoningMemory } from '../reasoning-memory.js'
import type { BilledCall } from './accounts.js'
import { LazyEstimate, type MostNeeded, type MostOf, toMostNeeded } from './lazy-estimate.js'
import type { MarkUps } from './mark-ups.js'
import { type SentCall, toSentCalls } from './sent-call.js'

/** What calls cost, and may cost at most. */
export interface Pricing {
  /** Resolves when prices can be asked for; never rejects. */
  ready(): Promise<void> | undefined
  /** @throws GatewayError where the host lets no call through whose price is not known */
  requirePrices(group: ModelGroup): void
  /** The same for one deployment, as fallbacks lead to other groups. @throws GatewayError */
  requirePrice(deployment: Deployment): void
  find(deployment: Deployment): PriceLookup
  /** Where the provider tells what it bills; undefined where it does not, or where the host sells at a price of its own. */
  costReport(deployment: Deployment): CostReport | undefined
  /** What a price book that is opened now says of a deployment; `find` remembers what it found first. */
  findNow(deployment: PricedDeployment): PriceLookup
  /** The call as this deployment is asked. */
  sent(planned: PlannedCall, deployment: Deployment): PlannedCall
  /** How many billed attempts an estimate allows for. */
  readonly billedAttempts: number
  /** The most that a call may cost and need, whichever deployment of those that `covers` names serves it; worked out where it is asked for. */
  estimate(call: BilledCall, markUps: MarkUps): Estimate
  /** The most that one attempt may cost and need. */
  estimateAttempt(call: BilledCall, entry: AttemptEntry, markUps: MarkUps): Estimate
  /** What is taken for a request's usage where its provider tells none: never more than an estimate holds for it. */
  untold(planned: PlannedCall, deployment: Deployment): UntoldUsage
  /** False for deployments that the estimate of a call of this group knows nothing of: those that a request's own fallbacks lead to. */
  covers(group: ModelGroup, deployment: Deployment): boolean
}

/** Tokens of a request whose provider tells none. */
export interface UntoldUsage {
  readonly inputTokens: number
  /** The most it can have written; infinite where it has no limit. */
  readonly outputTokens: number
}

/** What pricing needs. */
export interface PricingParts {
  readonly open: () => Promise<PriceBook>
  readonly clock: Clock
  /** Knows what becomes of a request on its way to a provider. */
  readonly registry: Pick<Registry, 'get'>
  readonly unknownPrice: 'allow' | 'refuse'
  /** Attempts of one call that may be billed beside each other. */
  readonly billedAttempts: number
  /** True where the last of these may go on with the answer of another one, which is then a part of its prompt. */
  readonly continues: boolean
  /** A conversation as a deployment is given it, whose own reasoning comes back to it. */
  readonly restore: ReasoningMemory['restore']
  /** Every group that a call of this group may end up at, itself included. */
  readonly reachable: (group: ModelGroup) => readonly ModelGroup[]
}

/** What a price is found by. */
export type PricedDeployment = Pick<Deployment, 'provider' | 'model' | 'info' | 'prices'>

interface Target {
  readonly price: Price
  readonly deployment: Deployment
  readonly maxOutputTokens: number | undefined
  readonly contextWindow: number | undefined
  readonly deadlineMs: number | undefined
  readonly searching: Searching
}

/** Where calls of a group may end up. */
interface Reach {
  readonly deployments: ReadonlySet<Deployment>
  /** Those that differ in price or bounds. */
  readonly targets: readonly Target[]
}

/** Opens the price book when the first call asks, and remembers per group what its calls may cost. */
export function createPricing(parts: PricingParts): Pricing {
  let book: PriceBook | undefined
  let opening: Promise<void> | undefined
  const lookups = new WeakMap<Deployment, PriceLookup>()
  const knownTargets = new WeakMap<Deployment, Target>()
  const reaches = new WeakMap<ModelGroup, Reach>()

  const find = (deployment: Deployment): PriceLookup => {
    const known = lookups.get(deployment)
    if (known) return known
    if (!book) return notLoaded
    const lookup = book.find(toPriceQuery(deployment))
    lookups.set(deployment, lookup)
    return lookup
  }
  const requirePrice = (deployment: Deployment): void => {
    if (parts.unknownPrice === 'allow') return
    const { price, reason } = find(deployment)
    if (!price) throw unknownPrice(reason)
  }
  const targetOf = (deployment: Deployment): Target => {
    const known = knownTargets.get(deployment)
    if (known) return known
    const target = toTarget(deployment, find(deployment))
    if (book) knownTargets.set(deployment, target)
    return target
  }
  const reachOf = (group: ModelGroup): Reach => {
    const known = reaches.get(group)
    if (known) return known
    const deployments = parts.reachable(group).flatMap(({ members }) => members.map(({ deployment }) => deployment))
    const found = deployments.map(targetOf)
    const targets = found.filter((target, at) => found.findIndex((other) => isSame(other, target)) === at)
    const reach = { deployments: new Set(deployments), targets }
    reaches.set(group, reach)
    return reach
  }
  const outputsAt = (planned: PlannedCall, target: Target): readonly OutputBound[] =>
    toSentCalls(planned, target.deployment, parts.registry).map((sent) => outputBound(sent.planned, target))
  // Its own price, or the dearest that the request lets the provider choose.
  const priceOf = ({ price, deployment }: Target, { planned }: SentCall): Price => {
    const path = parts.registry.get(deployment.provider)?.priceLimit
    if (path === undefined || hostSources.has(price.source)) return price
    const limit = priceLimitAt(path, planned.request, deployment)
    return limit ? raiseToLimit(price, limit) : price
  }
  const restored = ({ planned, caller }: BilledCall, deployment: Deployment): PlannedCall => {
    if (planned.operation !== 'chat') return planned
    const request = parts.restore(planned.request, caller.id, deployment)
    return request === planned.request ? planned : { operation: 'chat', request }
  }
  const estimateOf = (call: BilledCall, targets: readonly Target[], most: MostOf): Estimate => {
    // Also of one target: its readings of a request most often have one prompt.
    const estimateInput = createInputEstimator()
    const estimatesAt = (target: Target, addedTokens: number): readonly CostEstimate[] =>
      toSentCalls(restored(call, target.deployment), target.deployment, parts.registry).map((sent) =>
        estimateCost(sent.planned, priceOf(target, sent), {
          at: most.at,
          model: target.deployment.model,
          maxOutputTokens: target.maxOutputTokens,
          contextWindow: target.contextWindow,
          deadlineMs: target.deadlineMs,
          searching: target.searching,
          requests: sent.requests,
          addedTokens,
          estimateInput,
        }),
      )
    const restOf = (whole: MostNeeded): MostNeeded => {
      const going = targets.filter(({ deployment }) => isContinuedAt(call.planned, deployment))
      if (going.length === 0) return whole
      const writers = [...reachOf(call.group).targets, ...targets]
      const added = answeredTokens(writers.flatMap((target) => outputsAt(call.planned, target)))
      return toMostNeeded([whole, ...going.flatMap((target) => estimatesAt(target, added))])
    }
    return new LazyEstimate(() => {
      const whole = toMostNeeded(targets.flatMap((target) => estimatesAt(target, 0)))
      return { whole, rest: most.continued ? restOf(whole) : whole }
    }, most)
  }

  return {
    billedAttempts: parts.billedAttempts,
    ready() {
      if (book) return undefined
      opening ??= parts.open().then((opened) => {
        book = opened
      })
      return opening
    },
    find,
    costReport(deployment) {
      const { price } = find(deployment)
      return price && hostSources.has(price.source) ? undefined : parts.registry.get(deployment.provider)?.costReport
    },
    sent: (planned, deployment) => toSentCalls(planned, deployment, parts.registry)[0].planned,
    findNow: (deployment) => book?.find(toPriceQuery(deployment)) ?? notLoaded,
    requirePrice,
    requirePrices(group) {
      if (parts.unknownPrice === 'allow') return
      for (const { deployment } of group.members) requirePrice(deployment)
    },
    estimate: (call, markUps) =>
      estimateOf(call, reachOf(call.group).targets, {
        at: parts.clock.now(),
        attempts: BigInt(parts.billedAttempts),
        continued: parts.continues,
        markUps,
      }),
    // Billed at the rates of the moment it began, which is not now.
    estimateAttempt: (call, { target, startedAt, reason }, markUps) =>
      estimateOf(call, [targetOf(target)], {
        at: startedAt,
        attempts: 1n,
        continued: parts.continues && reason !== 'first' && reason !== 'hedge',
        markUps,
      }),
    untold(planned, deployment) {
      const target = targetOf(deployment)
      const [{ planned: sent }] = toSentCalls(planned, deployment, parts.registry)
      const { input, inputTokens } = toBounds(sent, target.price, { ...target, model: deployment.model })
      const outputs = outputsAt(planned, target)
      return {
        inputTokens: Math.min(input.tokens, inputTokens),
        outputTokens: Math.max(...outputs.map(({ tokens, isBounded }) => (isBounded ? tokens : Infinity))),
      }
    },
    covers: (group, deployment) => reachOf(group).deployments.has(deployment),
  }
}

/** The limit on prices that is sent with a request: the deployment's own and the request's, whichever is lower. */
function priceLimitAt(path: string, request: JsonObject, { params }: Deployment): JsonObject | undefined {
  const asked = memberAt(request, path)
  return (
    lowerLimit(memberAt(params, path) ?? memberAt(params['extra_body'], path), asked) ??
    (isObject(asked) ? asked : undefined)
  )
}

const hostSources: ReadonlySet<PriceSource> = new Set(['deployment', 'host'])

const notLoaded: PriceLookup = { price: null, reason: 'The prices are not loaded yet.' }

function unknownPrice(reason: string): GatewayError {
  const text = `This model may not be called, because its price is not known. ${reason}`
  return new GatewayError('permission', text, { code: 'unknown_price', param: 'model' })
}

function isContinuedAt({ operation, request }: PlannedCall, deployment: Deployment): boolean {
  return operation === 'chat' && request['stream'] === true && mayContinue(request, deployment)
}

// A message's frame; and one model may count twice the tokens of a text that another one does.
const frameTokens = 32

/** What comes to the prompt of a call that goes on with an answer, at most; `outputs` are of those that may have written it. */
function answeredTokens(outputs: readonly OutputBound[]): number {
  return 2 * Math.max(...outputs.map(({ tokens }) => tokens)) + frameTokens
}

/** What is asked of the price book about a deployment. */
export function toPriceQuery({ provider, model, info, prices }: PricedDeployment): Parameters<PriceBook['find']>[0] {
  // Checked when the deployment was made.
  const own = prices && PriceOptions.parse(prices)
  return { provider, model, baseModel: stringOf(info['base_model']), own }
}

// Its tokens count all the same.
const noPrice = toPrice({ input: 0, output: 0 }, 'fallback', 'a model without a price')

function toTarget(deployment: Deployment, { price }: PriceLookup): Target {
  const { provider, model, capabilities, timeouts } = deployment
  const { maxOutputTokens, contextWindow } = capabilitiesOf(provider, model, capabilities)
  const deadlineMs = timeouts.total === 0 ? undefined : timeouts.total
  const searching = searchingOf(model)
  return { price: price ?? noPrice, deployment, maxOutputTokens, contextWindow, deadlineMs, searching }
}

function isSame(a: Target, b: Target): boolean {
  return (
    a.price === b.price &&
    isSentAlike(a.deployment, b.deployment) &&
    a.maxOutputTokens === b.maxOutputTokens &&
    a.contextWindow === b.contextWindow &&
    a.deadlineMs === b.deadlineMs &&
    a.searching === b.searching
  )
}

/** True where one request is sent to both in the same words. */
function isSentAlike(a: Deployment, b: Deployment): boolean {
  return a === b || (a.provider === b.provider && a.model === b.model && isPlain(a) && isPlain(b))
}

const isPlain = ({ params, settings }: Deployment): boolean =>
  Object.keys(params).length === 0 && Object.keys(settings).length === 0
