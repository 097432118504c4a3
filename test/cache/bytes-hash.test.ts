import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BytesHash } from '../../src/cache/bytes-hash.js'

const hash = new BytesHash()

describe('the hash of bytes', () => {
  it('is the same for the same bytes, wherever in memory they lie', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 6_000, size: 'max' }), fc.nat(), fc.nat(15), (bytes, seed, offset) => {
        const elsewhere = Buffer.alloc(bytes.length + offset)
        elsewhere.set(bytes, offset)
        expect(hash.of(elsewhere.subarray(offset), seed)).toBe(hash.of(bytes, seed))
      }),
    )
  })

  it('is another for every change of one byte, and for another seed', () => {
    const bytes = Buffer.from('{"model":"fast","messages":[{"role":"user","content":"Translate item 0001."}]}')
    const hashes = new Set([hash.of(bytes, 1), hash.of(bytes, 2)])
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at] = (bytes[at] ?? 0) ^ 1
      hashes.add(hash.of(changed, 1))
    }
    expect(hashes.size).toBe(bytes.length + 2)
  })

  it('spreads requests that differ in a number over its range', () => {
    const hashes = Array.from({ length: 10_000 }, (_, item) =>
      hash.of(Buffer.from(`{"text":"Translate item ${item}."}`), 1),
    )
    expect(new Set(hashes).size).toBeGreaterThan(9_990)
    const buckets = new Map<number, number>()
    for (const one of hashes) buckets.set(one >>> 26, (buckets.get(one >>> 26) ?? 0) + 1)
    expect(buckets.size).toBe(64)
    expect(Math.max(...buckets.values())).toBeLessThan(300)
  })
})
