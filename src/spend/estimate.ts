import type { Price } from '../catalog/prices/index.js'
import { estimateInputTokens, type InputEstimate } from '../catalog/token-estimate.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../wire/json.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { Circumstances } from './circumstances.js'
import { type Cost, costOf, isTimed } from './cost.js'
import { dearestOf } from './dearest.js'
import { rateCardOf, thresholdsOf } from './rate-card.js'
import { noUsage, type OpenUsage, type UsageBuckets } from './usage-buckets.js'

/** A request and what it asks for. */
export type PlannedCall = {
  [K in Operation]: { readonly operation: K; readonly request: Operations[K]['request'] }
}[Operation]

/** What bounds a call beside its request. */
export interface EstimateOptions {
  /** When the call begins; milliseconds since the epoch. */
  readonly at: number
  /** The model's name at the provider. @default the one in the request */
  readonly model?: string | undefined
  /** The tokens the model writes at most; counts where the request sets no limit. @default 16,384, as no bound */
  readonly maxOutputTokens?: number | undefined
  /** A prompt never counts more than this. @default no limit */
  readonly contextWindow?: number | undefined
  /** The call's deadline, for models charged by the second. @default none, and no bound for these */
  readonly deadlineMs?: number | undefined
  /** Searches that are expected of a request that lets the provider search without a limit. @default 10 */
  readonly webSearches?: number | undefined
  /** How many requests the call takes. @default 1 */
  readonly requests?: number | undefined
  /** Reads the prompt. @default `estimateInputTokens` */
  readonly estimateInput?: typeof estimateInputTokens | undefined
}

/** What a call costs at most. */
export interface CostEstimate extends Cost {
  /** The dearest usage within the bounds; `pico` is its cost. */
  readonly usage: UsageBuckets
  /** Tokens of the prompt at most. */
  readonly inputTokens: number
  /** Tokens of the answer at most. */
  readonly outputTokens: number
  /** False where something had to be assumed: no limit of output, a file by its id, searches by the provider. */
  readonly isBounded: boolean
}

const defaultOutputTokens = 16_384
const defaultWebSearches = 10

/**
 * The most that a call can cost: `costOf` of the dearest usage within its bounds, over every way its tokens can be
 * counted (cached or written to a cache, as reasoning), every threshold they can cross, and the service tier that was
 * asked for as well as the standard one.
 */
export function estimateCost(call: PlannedCall, price: Price, options: EstimateOptions): CostEstimate {
  const bounds = toBounds(call, options)
  const [first, ...others] = scenariosOf(bounds, price, plannedCircumstances(call.request, options))
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
    outputTokens: bounds.outputTokens,
    isBounded: bounds.isBounded && !(options.deadlineMs === undefined && isTimed(price)),
  }
}

interface Bounds {
  readonly input: InputEstimate
  readonly inputTokens: number
  readonly outputTokens: number
  readonly writesSound: boolean
  readonly webSearches: number
  readonly images: number
  readonly milliseconds: number
  readonly isBounded: boolean
}

function toBounds(call: PlannedCall, options: EstimateOptions): Bounds {
  const { request } = call
  const input = (options.estimateInput ?? estimateInputTokens)(request, options.model)
  const { text, image, audio, file } = input.atMost
  const output = outputBound(call, options)
  const hosted = hostedTools(request)
  const searches = webSearchBound(request, hosted, options)
  const modalities = request['modalities']
  return {
    input,
    inputTokens: Math.min(text + image + audio + file, options.contextWindow ?? Infinity),
    outputTokens: output.tokens,
    writesSound: isObject(request['audio']) || (Array.isArray(modalities) && modalities.includes('audio')),
    webSearches: searches,
    images: call.operation === 'images' ? imagesIn(call.request) : 0,
    milliseconds: options.deadlineMs ?? 0,
    // What the provider's own tools find becomes part of the prompt.
    isBounded: input.isBounded && output.isBounded && hosted.length === 0 && searches === 0,
  }
}

interface OutputBound {
  readonly tokens: number
  readonly isBounded: boolean
}

function outputBound(call: PlannedCall, options: EstimateOptions): OutputBound {
  if (call.operation === 'embeddings' || call.operation === 'moderations') return { tokens: 0, isBounded: true }
  if (call.operation === 'images') return imageOutputBound(call.request)
  const { request } = call
  const limit = countOf(request['max_tokens'])
  const ofChat = call.operation === 'chat' ? countOf(request['max_completion_tokens']) : undefined
  const asked = limit === undefined || ofChat === undefined ? (limit ?? ofChat) : Math.max(limit, ofChat)
  const each = asked ?? options.maxOutputTokens
  const answers =
    Math.max(1, countOf(request['n']) ?? 1, countOf(request['best_of']) ?? 1) * promptsIn(request['prompt'])
  return { tokens: (each ?? defaultOutputTokens) * answers, isBounded: each !== undefined }
}

// Above everything that can be asked for, and small enough for products of several to stay finite.
const mostCounted = 1e15

/** A count of the request's: members that the gateway only passes on were not checked. */
function countOf(value: unknown): number | undefined {
  const number = numberOf(value)
  return number === undefined ? undefined : Math.min(mostCounted, Math.max(0, Math.ceil(number)))
}

/** How many images a request asks for, at least one: what comes in `extra_body` was not checked. */
export function imagesIn(request: JsonObject): number {
  return Math.max(1, countOf(request['n']) ?? 1)
}

/** A list of prompts, as texts or as lists of tokens, is answered one by one. */
function promptsIn(prompt: unknown): number {
  return Array.isArray(prompt) && typeof prompt[0] !== 'number' ? Math.max(1, prompt.length) : 1
}

// Tokens of an image of 1024x1536: https://developers.openai.com/api/docs/guides/image-generation#cost-and-latency
const imageTokens: Readonly<Record<string, number>> = { low: 408, medium: 1584, high: 6240 }
const mostImageTokens = 6240

function imageOutputBound(request: Operations['images']['request']): OutputBound {
  const quality = request.quality ?? 'auto'
  const each = Object.hasOwn(imageTokens, quality) ? imageTokens[quality] : undefined
  return { tokens: (each ?? mostImageTokens) * imagesIn(request), isBounded: true }
}

const none: readonly JsonObject[] = []

function hostedTools(request: JsonObject): readonly JsonObject[] {
  const tools: unknown = request['tools']
  if (!Array.isArray(tools)) return none
  return tools.filter(isObject).filter(({ type }) => type !== 'function' && type !== 'custom')
}

const searching = /search/i

function webSearchBound(request: JsonObject, hosted: readonly JsonObject[], options: EstimateOptions): number {
  const assumed = options.webSearches ?? defaultWebSearches
  const tools = hosted.filter((tool) => searching.test(stringOf(tool['type']) ?? Object.keys(tool).join(' ')))
  const byTools = tools.reduce((sum, tool) => sum + (countOf(tool['max_uses']) ?? assumed), 0)
  return byTools + (isObject(request['web_search_options']) ? assumed : 0)
}

type PlannedCircumstances = readonly [standard: Circumstances, asked?: Circumstances]

/** The tier that was asked for, and the standard one that a provider may serve instead. */
function plannedCircumstances(request: JsonObject, { at, requests }: EstimateOptions): PlannedCircumstances {
  const serviceTier = stringOf(request['service_tier'])
  const standard = {
    at,
    requests,
    imageSize: stringOf(request['size']),
    imageQuality: stringOf(request['quality']),
  }
  return serviceTier === undefined ? [standard] : [standard, { ...standard, serviceTier }]
}

/** One way in which a call may be billed. */
interface Scenario {
  readonly usage: UsageBuckets
  readonly cost: Cost
}

/** The dearest usage for each set of rates that the prompt can be under: in full, and just below each threshold. */
function scenariosOf(
  bounds: Bounds,
  price: Price,
  [standard, asked]: PlannedCircumstances,
): readonly [Scenario, ...Scenario[]] {
  const first = toScenario(bounds, bounds.inputTokens, price, standard)
  const below = belowThresholds(bounds, price, standard)
  if (!asked) return [first, ...below]
  return [
    first,
    ...below,
    toScenario(bounds, bounds.inputTokens, price, asked),
    ...belowThresholds(bounds, price, asked),
  ]
}

function belowThresholds(bounds: Bounds, price: Price, circumstances: Circumstances): readonly Scenario[] {
  return thresholdsOf(price, circumstances)
    .filter((threshold) => threshold < bounds.inputTokens)
    .map((threshold) => toScenario(bounds, threshold, price, circumstances))
}

function toScenario(bounds: Bounds, prompt: number, price: Price, circumstances: Circumstances): Scenario {
  const dearest = dearestOf(rateCardOf(price, prompt, circumstances))
  const usage: OpenUsage = { ...noUsage }
  let left = prompt
  // The dearest tokens first.
  for (const { kind, bucket } of bounds.input.cachesForAnHour ? dearest.inputForAnHour : dearest.input) {
    const taken = Math.min(bounds.input.atMost[kind], left)
    usage[bucket] += taken
    left -= taken
  }
  usage[bounds.writesSound ? dearest.soundOutput : dearest.silentOutput] = bounds.outputTokens
  usage.webSearches = bounds.webSearches > 0 && isSearchPriced(price) ? bounds.webSearches : 0
  usage.images = bounds.images
  usage.milliseconds = bounds.milliseconds
  usage.estimated = true
  return { usage, cost: costOf(usage, price, circumstances) }
}

function isSearchPriced({ variants }: Price): boolean {
  return variants.some(({ rates }) => rates.webSearch !== undefined)
}
