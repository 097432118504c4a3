import { toScaledInteger } from '../catalog/prices/index.js'
import { type JsonObject, memberAt } from '../wire/json.js'
import type { Cost, PriceLine } from './cost.js'

/** Where a provider's usage tells what it bills for the request. Members are named by paths: `cost.total_cost`. */
export interface CostReport {
  /** The amount billed. */
  readonly amount: string
  /** The amount counts 10⁻ᵈᵉᶜⁱᵐᵃˡˢ dollars. @default 0, dollars */
  readonly decimals?: number
  /** Another amount, which whoever computed bills the host beside it; only where `when` is true. */
  readonly upstream?: { readonly when: string; readonly amount: string }
}

/** What one request cost, in pico-dollars. */
interface Reported {
  readonly own: bigint
  readonly upstream: bigint | undefined
}

// Far more than any request costs; sums of such rows still fit every store.
const mostPico = 10_000n * 10n ** 12n
const picoDigits = 12

/**
 * What a provider says that it bills for requests whose usages these are, exact to the pico-dollar; undefined where it
 * does not tell it of each, `unbelievable` where what it tells is no amount, or is beyond 10,000 dollars.
 */
export function reportedCost(
  usages: readonly (JsonObject | undefined)[],
  report: CostReport,
): Cost | 'unbelievable' | undefined {
  let own = 0n
  let upstream: bigint | undefined
  for (const usage of usages) {
    const told = readReport(usage, report)
    if (told === undefined || told === 'unbelievable') return told
    own += told.own
    if (told.upstream !== undefined) upstream = (upstream ?? 0n) + told.upstream
  }
  const lines = [toLine('reported', own), ...(upstream === undefined ? [] : [toLine('upstream', upstream)])]
  return { pico: own + (upstream ?? 0n), lines, priced: true, reasons: [] }
}

function readReport(usage: JsonObject | undefined, report: CostReport): Reported | 'unbelievable' | undefined {
  const own = readAmount(usage, report.amount, report.decimals)
  if (own === undefined || own === 'unbelievable') return own
  if (!report.upstream || memberAt(usage, report.upstream.when) !== true) return { own, upstream: undefined }
  const upstream = readAmount(usage, report.upstream.amount, report.decimals)
  return upstream === undefined || upstream === 'unbelievable' ? upstream : { own, upstream }
}

/** In pico-dollars. */
function readAmount(usage: JsonObject | undefined, path: string, decimals = 0): bigint | 'unbelievable' | undefined {
  const amount = memberAt(usage, path)
  if (amount === undefined || amount === null) return undefined
  const isDecimal = typeof amount === 'number' || typeof amount === 'string'
  const pico = isDecimal ? toScaledInteger(amount, picoDigits - decimals)?.integer : undefined
  return pico === undefined || pico > mostPico ? 'unbelievable' : pico
}

function toLine(bucket: 'reported' | 'upstream', pico: bigint): PriceLine {
  return { bucket, quantity: 1, rate: pico, per: 1, pico }
}
