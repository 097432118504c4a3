const nanoPerDollar = 1_000_000_000
const picoPerNano = 1_000n
const most = BigInt(Number.MAX_SAFE_INTEGER)

/** Dollars as integer nano-dollars, to the nearest; at most 2^53 - 1, about nine million dollars, unless infinite. */
export function dollarsToNano(dollars: number): number {
  if (dollars === Infinity) return Infinity
  return Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(dollars * nanoPerDollar)))
}

/** Pico-dollars as integer nano-dollars, rounded up: a counter never tells less than the ledger. */
export function picoToNano(pico: bigint): number {
  const nano = (pico + picoPerNano - 1n) / picoPerNano
  return Number(nano > most ? most : nano)
}

/** For messages: `$1.25`, `$0.000012`. */
export function writeNano(nano: number): string {
  const digits = String(nano).padStart(10, '0')
  const fraction = digits.slice(-9).replace(/0+$/, '').padEnd(2, '0')
  return `$${digits.slice(0, -9)}.${fraction}`
}
