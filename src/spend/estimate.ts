import type { Price } from '../catalog/prices/index.js'
import { stringOf } from '../wire/json.js'
import { type BoundOptions, type Bounds, type PlannedCall, toBounds } from './bounds.js'
import type { Circumstances } from './circumstances.js'
import { type Cost, costOf, isTimed } from './cost.js'
import { dearestOf } from './dearest.js'
import { possibleRates } from './possible-rates.js'
import type { TierRates } from './rate-card.js'
import { noUsage, type OpenUsage, type UsageBuckets } from './usage-buckets.js'

/** What bounds a call beside its request, and when it is made. */
export interface EstimateOptions extends BoundOptions {
  /** When the call begins; milliseconds since the epoch. Its requests are sent until its deadline. */
  readonly at: number
  /** How many requests the call takes. @default 1 */
  readonly requests?: number | undefined
}

/** What a call costs at most. */
export interface CostEstimate extends Cost {
  /** The dearest usage within the bounds; `pico` is its cost. */
  readonly usage: UsageBuckets
  /** Tokens of the prompt at most. */
  readonly inputTokens: number
  /** Tokens that may come out at most: of the answer, and of what is thought and cited beside it. */
  readonly outputTokens: number
  /** False where something had to be assumed: no limit of output, a file by its id, searches by the provider. */
  readonly isBounded: boolean
}

/**
 * The most that a call can cost: `costOf` of the dearest usage within its bounds, over every way its tokens can be counted
 * (cached or written to a cache, as reasoning), every threshold they can cross, every service tier that the provider may
 * serve it in, and every time of day between now and its deadline. Of a model that searches by itself, what it searches,
 * cites and thinks beside its answer is assumed.
 */
export function estimateCost(call: PlannedCall, price: Price, options: EstimateOptions): CostEstimate {
  const { at, deadlineMs = Infinity, requests } = options
  const { request } = call
  const bounds = toBounds(call, price, options)
  const planned: Planned = {
    bounds,
    price,
    circumstances: {
      at,
      requests,
      serviceTier: stringOf(request['service_tier']),
      imageSize: stringOf(request['size']),
      imageQuality: stringOf(request['quality']),
    },
  }
  const [first, ...others] = scenariosOf(planned, possibleRates(price, request, { from: at, until: at + deadlineMs }))
  const { usage, cost } = others.reduce((most, next) => (next.cost.pico > most.cost.pico ? next : most), first)
  const reasons =
    others.length === 0 ? cost.reasons : [...new Set([first, ...others].flatMap((scenario) => scenario.cost.reasons))]
  return {
    pico: cost.pico,
    lines: cost.lines,
    priced: reasons.length === 0,
    reasons,
    usage,
    inputTokens: bounds.inputTokens,
    outputTokens: bounds.outputTokens + bounds.reasoningTokens + bounds.citationTokens,
    isBounded: bounds.isBounded && !(options.deadlineMs === undefined && isTimed(price)),
  }
}

interface Planned {
  readonly bounds: Bounds
  readonly price: Price
  readonly circumstances: Circumstances
}

/** One way in which a call may be billed. */
interface Scenario {
  readonly usage: UsageBuckets
  readonly cost: Cost
}

type Scenarios = readonly [Scenario, ...Scenario[]]

/** The dearest usage for each set of rates that the prompt can be under: in full, and just below each threshold. */
function scenariosOf(planned: Planned, [first, ...others]: readonly [TierRates, ...TierRates[]]): Scenarios {
  const { inputTokens } = planned.bounds
  const below = (rates: TierRates): readonly Scenario[] =>
    rates.thresholds
      .filter((threshold) => threshold < inputTokens)
      .map((threshold) => toScenario(planned, threshold, rates))
  return [
    toScenario(planned, inputTokens, first),
    ...below(first),
    ...others.flatMap((rates) => [toScenario(planned, inputTokens, rates), ...below(rates)]),
  ]
}

function toScenario({ bounds, price, circumstances }: Planned, prompt: number, rates: TierRates): Scenario {
  const card = rates.cardFor(prompt)
  const dearest = dearestOf(card)
  const usage: OpenUsage = { ...noUsage }
  let left = prompt
  // The dearest tokens first.
  for (const { kind, bucket } of bounds.input.cachesForAnHour ? dearest.inputForAnHour : dearest.input) {
    const taken = Math.min(bounds.input.atMost[kind], left)
    usage[bucket] += taken
    left -= taken
  }
  usage[bounds.writesSound ? dearest.soundOutput : dearest.silentOutput] = bounds.outputTokens
  usage.reasoning += bounds.reasoningTokens
  usage.citation = bounds.citationTokens
  // Without a rate for them they cost nothing that is known.
  usage.webSearches = card.tokenRate('webSearches') > 0n ? bounds.webSearches : 0
  usage.images = bounds.images
  usage.milliseconds = bounds.milliseconds
  usage.estimated = true
  return { usage, cost: costOf(usage, price, circumstances, rates) }
}
