import { capabilitiesOf } from '../../catalog/capabilities.js'
import { type Price, type PriceBook, type PriceLookup, PriceOptions, toPrice } from '../../catalog/prices/index.js'
import { createInputEstimator } from '../../catalog/token-estimate.js'
import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import type { Estimate } from '../../limits/holds.js'
import type { Clock, Scope } from '../../ports.js'
import type { ModelGroup } from '../../router/model-group.js'
import { type CostEstimate, type PlannedCall, estimateCost, multiply } from '../../spend/index.js'
import type { Registry } from '../../providers/registry.js'
import { stringOf } from '../../wire/json.js'
import type { BilledCall } from './accounts.js'
import { type MarkUps, markUpOf } from './mark-ups.js'
import { toSentCalls } from './sent-call.js'

/** What calls cost, and may cost at most. */
export interface Pricing {
  /** Resolves when prices can be asked for; never rejects. */
  ready(): Promise<void> | undefined
  /** @throws GatewayError where the host lets no call through whose price is not known */
  requirePrices(group: ModelGroup): void
  /** The same for one deployment, as fallbacks lead to other groups. @throws GatewayError */
  requirePrice(deployment: Deployment): void
  find(deployment: Deployment): PriceLookup
  /** What a price book that is opened now says of a deployment; `find` remembers what it found first. */
  findNow(deployment: PricedDeployment): PriceLookup
  /** The call as this deployment is asked. */
  sent(planned: PlannedCall, deployment: Deployment): PlannedCall
  /** How many billed attempts an estimate allows for. */
  readonly billedAttempts: number
  /** The most that a call may cost and need, whichever deployment of those that `covers` names serves it; worked out where it is asked for. */
  estimate(call: BilledCall, markUps: MarkUps): Estimate
  /** The most that one attempt at this deployment may cost and need. */
  estimateAttempt(call: BilledCall, deployment: Deployment, markUps: MarkUps): Estimate
  /** False for deployments that the estimate of a call of this group knows nothing of: those that a request's own fallbacks lead to. */
  covers(group: ModelGroup, deployment: Deployment): boolean
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
  const estimateOf = (call: BilledCall, targets: readonly Target[], most: MostOf): Estimate => {
    const at = parts.clock.now()
    const estimateInput = targets.length > 1 ? createInputEstimator() : undefined
    const estimatesAt = (target: Target): readonly CostEstimate[] => {
      const { price, deployment, maxOutputTokens, contextWindow, deadlineMs } = target
      const bounds = { maxOutputTokens, contextWindow, deadlineMs, estimateInput }
      return toSentCalls(call.planned, deployment, parts.registry).map(({ planned, requests }) =>
        estimateCost(planned, price, { at, model: deployment.model, requests, ...bounds }),
      )
    }
    return new LazyEstimate(() => targets.flatMap(estimatesAt), most)
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
    sent: (planned, deployment) => toSentCalls(planned, deployment, parts.registry)[0].planned,
    findNow: (deployment) => book?.find(toPriceQuery(deployment)) ?? notLoaded,
    requirePrice,
    requirePrices(group) {
      if (parts.unknownPrice === 'allow') return
      for (const { deployment } of group.members) requirePrice(deployment)
    },
    estimate: (call, markUps) =>
      estimateOf(call, reachOf(call.group).targets, { attempts: BigInt(parts.billedAttempts), markUps }),
    estimateAttempt: (call, deployment, markUps) => estimateOf(call, [targetOf(deployment)], { attempts: 1n, markUps }),
    covers: (group, deployment) => reachOf(group).deployments.has(deployment),
  }
}

const notLoaded: PriceLookup = { price: null, reason: 'The prices are not loaded yet.' }

function unknownPrice(reason: string): GatewayError {
  const text = `This model may not be called, because its price is not known. ${reason}`
  return new GatewayError('permission', text, { code: 'unknown_price', param: 'model' })
}

interface MostOf {
  readonly attempts: bigint
  readonly markUps: MarkUps
}

/** Reading a prompt takes time, which only budgets and limits on tokens are worth. */
class LazyEstimate implements Estimate {
  readonly #estimate: () => readonly CostEstimate[]
  readonly #most: MostOf
  #known: MostNeeded | undefined

  constructor(estimate: () => readonly CostEstimate[], most: MostOf) {
    this.#estimate = estimate
    this.#most = most
  }

  charged(scope: Scope): bigint {
    return multiply(this.#needed.pico, markUpOf(this.#most.markUps, scope))
  }

  get inputTokens(): number {
    return this.#needed.inputTokens
  }

  get outputTokens(): number {
    return this.#needed.outputTokens
  }

  get #needed(): MostNeeded {
    return (this.#known ??= toMostNeeded(this.#estimate(), this.#most.attempts))
  }
}

type MostNeeded = Pick<CostEstimate, 'pico' | 'inputTokens' | 'outputTokens'>

function toMostNeeded(estimates: readonly CostEstimate[], attempts: bigint): MostNeeded {
  let [pico, inputTokens, outputTokens] = [0n, 0, 0]
  for (const estimate of estimates) {
    if (estimate.pico > pico) pico = estimate.pico
    inputTokens = Math.max(inputTokens, estimate.inputTokens)
    outputTokens = Math.max(outputTokens, estimate.outputTokens)
  }
  return { pico: pico * attempts, inputTokens, outputTokens }
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
  return { price: price ?? noPrice, deployment, maxOutputTokens, contextWindow, deadlineMs }
}

function isSame(a: Target, b: Target): boolean {
  return (
    a.price === b.price &&
    isSentAlike(a.deployment, b.deployment) &&
    a.maxOutputTokens === b.maxOutputTokens &&
    a.contextWindow === b.contextWindow &&
    a.deadlineMs === b.deadlineMs
  )
}

/** True where one request is sent to both in the same words. */
function isSentAlike(a: Deployment, b: Deployment): boolean {
  return a === b || (a.provider === b.provider && a.model === b.model && isPlain(a) && isPlain(b))
}

const isPlain = ({ params, settings }: Deployment): boolean =>
  Object.keys(params).length === 0 && Object.keys(settings).length === 0
