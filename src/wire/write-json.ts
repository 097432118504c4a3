// Shorter texts, in characters, are copied quicker than they are set apart.
const shortestSetApart = 64 * 1024
// Anything but printable ASCII without quote and backslash: what JSON escapes or UTF-8 spells with several bytes.
const special = /[^ !#-[\]-~]/

/**
 * JSON of a value that came from JSON. Gives the text, or its bytes where the value holds files as base64: these are
 * copied once that way, instead of into the text, as it grows, and again into bytes.
 * @throws RangeError for a value nested deeper than the stack
 */
export function writeJson(value: unknown): string | Uint8Array {
  const large = new Set<string>()
  collectLarge(value, large)
  if (large.size === 0) return JSON.stringify(value)
  const setApart: string[] = []
  const json = JSON.stringify(value, (_name, inner: unknown) => {
    if (typeof inner !== 'string' || inner.length < shortestSetApart || !large.has(inner)) return inner
    setApart.push(inner)
    return '\u0000'
  })
  const pieces = json.split('\\u0000')
  // Other texts hold the placeholder too.
  if (pieces.length !== setApart.length + 1) return JSON.stringify(value)
  return join(pieces, setApart)
}

function collectLarge(value: unknown, large: Set<string>): void {
  if (typeof value === 'string') {
    if (value.length >= shortestSetApart && !special.test(value)) large.add(value)
  } else if (Array.isArray(value)) {
    for (const inner of value) collectLarge(inner, large)
  } else if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) collectLarge(inner, large)
  }
}

function join(pieces: readonly string[], between: readonly string[]): Uint8Array {
  const lengths = [...pieces.map((piece) => Buffer.byteLength(piece)), ...between.map((text) => text.length)]
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + length, 0))
  let position = 0
  for (const [at, piece] of pieces.entries()) {
    position += bytes.write(piece, position)
    const text = between[at]
    if (text !== undefined) position += bytes.write(text, position, 'latin1')
  }
  return bytes
}
