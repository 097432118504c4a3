/** Writes a vector as OpenAI's `encoding_format: "base64"`: little-endian float32, base64. */
export function toBase64Vector(vector: readonly number[]): string {
  const bytes = Buffer.allocUnsafe(vector.length * 4)
  for (let position = 0; position < vector.length; position++) bytes.writeFloatLE(vector[position] ?? 0, position * 4)
  return bytes.toString('base64')
}

/** Reads a vector that came as little-endian float32 in base64; undefined where the length is no multiple of four bytes. */
export function fromBase64Vector(text: string): number[] | undefined {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.length % 4 !== 0) return undefined
  const vector: number[] = []
  for (let offset = 0; offset < bytes.length; offset += 4) vector.push(bytes.readFloatLE(offset))
  return vector
}

/** How many numbers a vector of either form holds. */
export function vectorWidth(embedding: readonly number[] | string): number {
  return typeof embedding === 'string' ? Math.floor(Buffer.byteLength(embedding, 'base64') / 4) : embedding.length
}

/** A vector in the form the caller asked for, whichever form it came in; undefined where it cannot be read. */
export function toEncoding(
  embedding: readonly number[] | string,
  format: 'float' | 'base64',
): readonly number[] | string | undefined {
  if (format === 'base64') return typeof embedding === 'string' ? embedding : toBase64Vector(embedding)
  return typeof embedding === 'string' ? fromBase64Vector(embedding) : embedding
}
