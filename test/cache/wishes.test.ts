import { describe, expect, it } from 'vitest'
import { readCacheWishes } from '../../src/cache/wishes.js'
import { GatewayError } from '../../src/errors.js'

const thrownBy = (act: () => unknown): GatewayError => {
  try {
    act()
  } catch (error) {
    if (GatewayError.isInstance(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('the cache wishes of a request', () => {
  it('are none where nothing is said', () => {
    const wishes = readCacheWishes({ model: 'm' }, undefined)
    expect(wishes).toMatchObject({ use: undefined, noRead: false, noWrite: false, onlyCached: false })
    expect(wishes).toMatchObject({ maxAgeMs: Infinity, ttlMs: undefined, namespace: undefined, scope: undefined })
    expect(readCacheWishes({ cache: null, caching: null }, undefined)).toEqual(wishes)
  })

  it.each([
    [{ cache: { 'no-cache': true } }, { noRead: true, noWrite: false }],
    [{ cache: { 'no-store': true } }, { noRead: false, noWrite: true }],
    [{ cache: { ttl: 2.5 } }, { ttlMs: 2_500 }],
    [{ cache: { ttl: 0 } }, { noWrite: true }],
    [{ cache: { 's-maxage': 30 } }, { maxAgeMs: 30_000 }],
    [{ cache: { 's-max-age': 30 } }, { maxAgeMs: 30_000 }],
    [{ cache: { 's-max-age': 30, 's-maxage': 20 } }, { maxAgeMs: 20_000 }],
    [{ cache: { namespace: 'n' } }, { namespace: 'n' }],
    [{ cache: { scope: 'team' } }, { scope: 'team' }],
    [{ cache: { 'use-cache': true } }, { use: true }],
    [{ caching: true }, { use: true }],
    [{ caching: false }, { use: false }],
    [{ caching: false, cache: { 'use-cache': true } }, { use: false }],
    [{ cache: { ttl: null, 'no-cache': null } }, { ttlMs: undefined, noRead: false }],
  ])('in the body %j mean %j', (body, meaning) => {
    expect(readCacheWishes(body, undefined)).toMatchObject(meaning)
  })

  it.each([
    ['no-cache', { noRead: true, noWrite: false }],
    ['NO-STORE', { noRead: false, noWrite: true }],
    ['no-cache, no-store', { noRead: true, noWrite: true }],
    ['max-age=10', { maxAgeMs: 10_000 }],
    ['s-maxage=20', { maxAgeMs: 20_000 }],
    ['max-age="7", s-maxage=9', { maxAgeMs: 7_000 }],
    ['only-if-cached', { onlyCached: true }],
    ['max-age=abc', { maxAgeMs: 0 }],
    ['max-age', { maxAgeMs: 0 }],
    ['max-age=-1', { maxAgeMs: 0 }],
    ['no-transform, community="no-store,no-cache"', { noRead: false, noWrite: false }],
    ['', { noRead: false, noWrite: false, maxAgeMs: Infinity }],
  ])('in the header %j mean %j', (header, meaning) => {
    expect(readCacheWishes({}, header)).toMatchObject(meaning)
  })

  it('are the stricter ones of body and header', () => {
    const wishes = readCacheWishes({ cache: { 'no-store': true, 's-maxage': 5 } }, 'no-cache, max-age=60')
    expect(wishes).toMatchObject({ noRead: true, noWrite: true, maxAgeMs: 5_000 })
  })

  it.each([
    [{ cache: true }, 'cache'],
    [{ cache: [] }, 'cache'],
    [{ cache: { ttl: '60' } }, 'cache.ttl'],
    [{ cache: { ttl: -1 } }, 'cache.ttl'],
    [{ cache: { ttl: 1e12 } }, 'cache.ttl'],
    [{ cache: { 's-maxage': Infinity } }, 'cache.s-maxage'],
    [{ cache: { 'no-cache': 'yes' } }, 'cache.no-cache'],
    [{ cache: { namespace: '' } }, 'cache.namespace'],
    [{ cache: { scope: 'all' } }, 'cache.scope'],
    [{ cache: { no_store: true } }, 'cache.no_store'],
    [{ caching: 'no' }, 'caching'],
  ])('%j are a 400 that names the field', (body, param) => {
    const error = thrownBy(() => readCacheWishes(body, undefined))
    expect(error).toMatchObject({ kind: 'invalid_request', status: 400, param })
    expect(error.toBody().error).toMatchObject({ type: 'invalid_request_error', param })
  })
})
