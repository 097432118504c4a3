import { describe, expect, it } from 'vitest'
import { createAddressGuard, isPublicAddress } from '../../src/upstream/address-guard.js'
import {
  listedUrls,
  noAddresses,
  publicAddresses,
  refusedUrls,
  specialAddresses,
  unlistedUrls,
} from './address-corpus.js'

const hosts = ['api.example.com', '*.tenants.example.org', 'https://models.example.net:8443']

describe('isPublicAddress', () => {
  it.each(specialAddresses)('says no to %s', (address) => expect(isPublicAddress(address)).toBe(false))
  it.each(noAddresses)('says no to %j, which is no address', (text) => expect(isPublicAddress(text)).toBe(false))
  it.each(publicAddresses)('says yes to %s', (address) => expect(isPublicAddress(address)).toBe(true))
})

describe('createAddressGuard', () => {
  const listed = createAddressGuard({ hosts })
  const any = createAddressGuard({ hosts: 'any' })

  it('is tested with at least 200 addresses and URLs', () => {
    expect(new Set([...specialAddresses, ...refusedUrls, ...unlistedUrls]).size).toBeGreaterThanOrEqual(200)
  })

  it.each(refusedUrls)('refuses %j under any list', (url) => {
    expect(typeof listed.check(url)).toBe('string')
    expect(typeof any.check(url)).toBe('string')
  })

  it.each(unlistedUrls)('refuses %j, which is not listed', (url) => expect(typeof listed.check(url)).toBe('string'))

  it.each(listedUrls)('takes %j', (url) => expect(listed.check(url)).toBeInstanceOf(URL))

  it('takes any public host on the usual ports where any is allowed', () => {
    for (const url of ['https://example.net/a.png', 'http://example.net/', 'https://8.8.8.8/']) {
      expect(any.check(url)).toBeInstanceOf(URL)
    }
    expect(any.check('https://example.net:8443/')).toBe('Its port is not allowed.')
  })

  it('never repeats the URL in its reason', () => {
    for (const url of [...refusedUrls, ...unlistedUrls].filter((text) => text.length > 8)) {
      expect(String(listed.check(url))).not.toContain(url)
    }
  })

  it('opens the private networks that are named, and no others', () => {
    const guard = createAddressGuard({ hosts, privateNetworks: ['10.1.0.0/16', 'fd12:3456::/32', '127.0.0.1/32'] })
    for (const address of ['10.1.2.3', 'fd12:3456::1', '127.0.0.1', '1.1.1.1']) expect(guard.allows(address)).toBe(true)
    for (const address of ['10.2.0.1', 'fd12:3457::1', '127.0.0.2', 'x']) expect(guard.allows(address)).toBe(false)
  })

  it('never opens metadata and link-local addresses', () => {
    const guard = createAddressGuard({ hosts, privateNetworks: ['0.0.0.0/0', '::/0'] })
    const metadata = ['169.254.169.254', '::ffff:169.254.169.254', '::ffff:a9fe:a9fe', '64:ff9b::a9fe:a9fe', 'fe80::1']
    for (const address of [...metadata, 'fd00:ec2::254', '168.63.129.16', '100.100.100.200', '0.0.0.0']) {
      expect(guard.allows(address)).toBe(false)
    }
    expect(guard.allows('10.0.0.1')).toBe(true)
  })

  it.each([
    '',
    'https://',
    'api.example.com/',
    'api.example.com/v1',
    'ftp://x',
    '*',
    '*.*.com',
    'a@b',
    'a b',
    'x?y',
    'x#',
  ])('refuses the list entry %j', (entry) => expect(() => createAddressGuard({ hosts: [entry] })).toThrow(TypeError))

  it.each(['10.0.0.0', '10.0.0.0/33', '10/8', 'x/8', '::/129', '10.0.0.0/x', '10.0.0.0/'])(
    'refuses the network %j',
    (network) => expect(() => createAddressGuard({ hosts: [], privateNetworks: [network] })).toThrow(TypeError),
  )
})
