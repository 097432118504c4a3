/** How many values of a body are recorded at most, and how deep. */
export const recorded = { values: 20_000, depth: 40 } as const

/**
 * A copy of a body, or of what else is JSON, with all of its texts as `change` gives them: as much of it as is recorded.
 * @default as they are
 */
export function copyBody(body: unknown, change: (text: string) => string = (text) => text): unknown {
  let values = 0
  const copy = (value: unknown, depth: number): unknown => {
    values += 1
    if (typeof value === 'string') return change(value)
    if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value
    if (values > recorded.values || depth > recorded.depth) return '(left out)'
    // A vector in one go.
    if (isVector(value)) return [...value]
    if (Array.isArray(value)) return value.slice(0, recorded.values).map((entry) => copy(entry, depth + 1))
    const members = Object.entries(value).slice(0, recorded.values)
    return Object.fromEntries(members.map(([name, member]) => [name, copy(member, depth + 1)]))
  }
  return copy(body, 0)
}

function isVector(value: object): value is readonly number[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'number')
}
