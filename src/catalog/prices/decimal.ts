/** An exact decimal times a power of ten. */
export interface ScaledInteger {
  readonly integer: bigint
  /** False where digits were lost, rounded half up. */
  readonly exact: boolean
}

// No longer than any number is written: requests may hold millions of digits, which take seconds to convert.
const decimal = /^(\d{1,400})(?:\.(\d{1,400}))?(?:e([+-]?\d{1,3}))?$/i

/**
 * `value · 10^digits` as an integer, without ever computing in floating point: `toScaledInteger('1.5e-7', 12)` is
 * 150,000. Numbers count as the shortest decimal that names them. Undefined for what is no non-negative decimal,
 * or has more than 400 digits before or behind the point.
 */
export function toScaledInteger(value: number | string, digits: number): ScaledInteger | undefined {
  const [, whole = '', fraction = '', exponent = '0'] = decimal.exec(String(value).trim()) ?? []
  if (whole === '') return undefined
  const mantissa = BigInt(whole + fraction)
  const shift = digits - fraction.length + Number(exponent)
  if (shift >= 0) return { integer: mantissa * 10n ** BigInt(shift), exact: true }
  const divisor = 10n ** BigInt(-shift)
  return { integer: (mantissa + divisor / 2n) / divisor, exact: mantissa % divisor === 0n }
}
