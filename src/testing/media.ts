import { hashOf, nextOf } from './hash.js'

/** A white PNG of one pixel, in base64. */
export const pixelPng = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGP4DwABAQEAsTj2FAAAAABJRU5ErkJggg=='

/** Numbers of a vector where the request names no dimensions. */
export const standardDimensions = 64

/** A vector of length 1 that depends on the text alone; its numbers are float32, so that base64 says the same. */
export function vectorOf(text: string, dimensions: number): Float32Array {
  let state = hashOf(text) || 1
  const vector = new Float32Array(dimensions)
  for (let index = 0; index < dimensions; index++) {
    state = nextOf(state)
    vector[index] = state / 0x80000000 - 1
  }
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1
  return vector.map((value) => value / length)
}

/** Little-endian float32 in base64, as OpenAI's `encoding_format: base64`. */
export function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * 4))
  return bytes.toString('base64')
}
