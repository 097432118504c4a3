import { inputBuckets, outputBuckets } from '../../spend/usage-buckets.js'

/** Tokens of the prompt. */
export function tokensIn(usage: Readonly<Record<string, number>>): number {
  return sum(usage, inputBuckets)
}

/** Tokens of the answer. */
export function tokensOut(usage: Readonly<Record<string, number>>): number {
  return sum(usage, outputBuckets)
}

function sum(usage: Readonly<Record<string, number>>, buckets: readonly string[]): number {
  return buckets.reduce((total, bucket) => total + (usage[bucket] ?? 0), 0)
}
