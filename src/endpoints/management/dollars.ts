import { toDollars } from '../../spend/index.js'

/**
 * Pico-dollars as the JSON number of dollars nearest to them: exact to 15 significant digits, so to the pico-dollar up
 * to $999. Sums are made before, in integers.
 */
export function dollarsOf(pico: bigint): number {
  return Number(toDollars(pico))
}
