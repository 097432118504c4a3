import { describe, expect, it } from 'vitest'
import { BytesHash } from '../../src/cache/bytes-hash.js'
import { createRecentHits } from '../../src/cache/recent-hits.js'
import { anyCaller } from '../support/deployment.js'

const raw = (text: string, own: object = {}) => ({ caller: anyCaller, path: '/v1/x', bytes: Buffer.from(text), ...own })

describe('recent hits', () => {
  it('finds a request by the same bytes of the same caller at the same path, and by nothing less', () => {
    const hits = createRecentHits<string>(100_000)
    hits.keep(raw('{"a":1}'), 'kept', 10)
    expect(hits.find(raw('{"a":1}'))).toBe('kept')
    expect(hits.find(raw('{"a":2}'))).toBeUndefined()
    expect(hits.find(raw('{"a":1} '))).toBeUndefined()
    expect(hits.find(raw('{"a":1}', { path: '/v1/y' }))).toBeUndefined()
    expect(hits.find(raw('{"a":1}', { caller: { ...anyCaller } }))).toBeUndefined()
  })

  it('tells requests apart whose hashes are the same', () => {
    const hits = createRecentHits<string>(100_000)
    const [one, other] = [raw('{"a":476915}'), raw('{"a":528600}')]
    // As those of the first caller.
    const hash = new BytesHash()
    expect(hash.of(one.bytes, 1)).toBe(hash.of(other.bytes, 1))
    hits.keep(one, 'one', 10)
    expect(hits.find(other)).toBeUndefined()
    hits.keep(other, 'other', 10)
    expect(hits.find(other)).toBe('other')
    expect(hits.find(one)).toBeUndefined()
  })

  it('finds nothing of a caller whom the host has changed in place', () => {
    const hits = createRecentHits<string>(100_000)
    const caller = { ...anyCaller }
    hits.keep(raw('abc', { caller }), 'kept', 10)
    expect(hits.find(raw('abc', { caller }))).toBe('kept')
    caller.metadata = { guardrails: ['pii'] }
    expect(hits.find(raw('abc', { caller }))).toBeUndefined()
    Object.assign(caller, { metadata: anyCaller.metadata, id: 'another' })
    expect(hits.find(raw('abc', { caller }))).toBeUndefined()
  })

  it('keeps its own copy of the bytes', () => {
    const hits = createRecentHits<string>(100_000)
    const bytes = Buffer.from('abc')
    hits.keep(raw('', { bytes }), 'kept', 10)
    bytes[0] = 0
    expect(hits.find(raw('abc'))).toBe('kept')
  })

  it('stays within its bytes, and forgets the oldest', () => {
    const hits = createRecentHits<string>(10_000)
    for (const name of ['a', 'b', 'c']) hits.keep(raw(name), name, 3_000)
    expect(['a', 'b', 'c'].map((name) => hits.find(raw(name)))).toEqual([undefined, 'b', 'c'])
  })
})
