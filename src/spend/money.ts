import { toScaledInteger } from '../catalog/prices/index.js'

// Money is counted in pico-dollars (10⁻¹² US dollars), so that every published rate per token is a whole number.
const picoDigits = 12
const picoPerDollar = 10n ** 12n
const picoPerNano = 1000n
const exactNumbers = BigInt(Number.MAX_SAFE_INTEGER)

/** An exact factor. */
export interface Factor {
  readonly numerator: bigint
  readonly denominator: bigint
}

const factorDigits = 12
const factorUnit = 10n ** 12n

/**
 * Dollars as pico-dollars, exactly: `fromDollars('0.1')` is 100,000,000,000.
 * @throws RangeError for what is no non-negative decimal with at most 12 places
 */
export function fromDollars(dollars: number | string): bigint {
  const scaled = toScaledInteger(dollars, picoDigits)
  if (!scaled?.exact) throw new RangeError(`"${dollars}" is no amount of dollars with at most 12 decimal places.`)
  return scaled.integer
}

/** Pico-dollars as an exact decimal of dollars without needless zeros: `0.054399`. */
export function toDollars(pico: bigint): string {
  if (pico === 0n) return '0'
  const [sign, amount] = pico < 0n ? ['-', -pico] : ['', pico]
  const digits = (amount <= exactNumbers ? String(Number(amount)) : String(amount)).padStart(picoDigits + 1, '0')
  const whole = digits.length - picoDigits
  let end = digits.length
  while (end > whole && digits.charCodeAt(end - 1) === zero) end -= 1
  return end === whole ? sign + digits.slice(0, whole) : `${sign}${digits.slice(0, whole)}.${digits.slice(whole, end)}`
}

const zero = '0'.charCodeAt(0)

/** Whole nano-dollars (10⁻⁹) for counters that Lua and JSON must keep exact; a part of one counts as one. */
export function toNano(pico: bigint): number {
  return Number((pico + picoPerNano - 1n) / picoPerNano)
}

/**
 * A factor from a decimal: 1.2 adds a fifth.
 * @throws RangeError for what is no non-negative decimal with at most 12 places
 */
export function toFactor(decimal: number | string): Factor {
  const scaled = toScaledInteger(decimal, factorDigits)
  if (!scaled?.exact) throw new RangeError(`"${decimal}" is no factor with at most 12 decimal places.`)
  return { numerator: scaled.integer, denominator: factorUnit }
}

/** A factor that `toFactor` made, as the same decimal. */
export function toDecimal({ numerator, denominator }: Factor): string {
  return toDollars((numerator * picoPerDollar) / denominator)
}

/**
 * A mark-up in basis points, hundredths of a percent: 2,000 adds a fifth, −500 takes a twentieth off.
 * @throws RangeError for what is no whole number of −10,000 or more
 */
export function fromBasisPoints(points: number): Factor {
  if (!Number.isSafeInteger(points) || points < -10_000) {
    throw new RangeError(`A mark-up of ${points} is no whole number of basis points from -10000 on.`)
  }
  return { numerator: BigInt(10_000 + points), denominator: 10_000n }
}

/** An amount times a factor, half a pico-dollar rounded up. */
export function multiply(pico: bigint, { numerator, denominator }: Factor): bigint {
  if (numerator === denominator) return pico
  return (pico * numerator * 2n + denominator) / (denominator * 2n)
}
