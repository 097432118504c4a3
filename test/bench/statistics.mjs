/** The value that `share` (0 to 1) of the values lie below. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** The middle of the values; of two in the middle, their mean. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** The middle of what two series, taken in the same rounds, have to do with each other. */
export function medianOf(compare, values, baseline) {
  return median(values.map((value, round) => compare(value, baseline[round])))
}
