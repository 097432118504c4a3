import { createVerify, generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import type { UpstreamRequest } from '../../src/upstream/message.js'
import { signOci } from '../../src/upstream/oci-signature.js'

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
const key = { tenancy: 'ocid1.tenancy.t', user: 'ocid1.user.u', fingerprint: 'aa:bb', privateKey }
const request: UpstreamRequest = Object.freeze({
  method: 'POST',
  path: '/20231130/actions/chat',
  headers: Object.freeze({ 'content-type': 'application/json' }),
  body: '{"text":"grüß dich"}',
  droppedParams: [],
})
const url = 'https://inference.generativeai.us-chicago-1.oci.oraclecloud.com/20231130/actions/chat?x=1'
const now = Date.UTC(2026, 0, 2, 3, 4, 5)

function fieldsOf(authorization: string | undefined): Readonly<Record<string, string>> {
  const [, text = ''] = /^Signature (.*)$/.exec(authorization ?? '') ?? []
  return Object.fromEntries([...text.matchAll(/(\w+)="([^"]*)"/g)].map(([, name, value]) => [name, value]))
}

describe('a signature for Oracle Cloud', () => {
  it('covers date, target, host and body, and can be checked with the public key', () => {
    const { headers } = signOci(request, url, key, now)
    const fields = fieldsOf(headers['authorization'])
    expect(fields).toMatchObject({
      version: '1',
      keyId: 'ocid1.tenancy.t/ocid1.user.u/aa:bb',
      algorithm: 'rsa-sha256',
      headers: 'date (request-target) host content-length content-type x-content-sha256',
    })
    expect(headers['date']).toBe('Fri, 02 Jan 2026 03:04:05 GMT')
    const text = [
      'date: Fri, 02 Jan 2026 03:04:05 GMT',
      '(request-target): post /20231130/actions/chat?x=1',
      'host: inference.generativeai.us-chicago-1.oci.oraclecloud.com',
      'content-length: 22',
      'content-type: application/json',
      `x-content-sha256: ${headers['x-content-sha256']}`,
    ].join('\n')
    const isValid = (signed: string) =>
      createVerify('RSA-SHA256')
        .update(signed)
        .verify(publicKey, fields['signature'] ?? '', 'base64')
    expect(isValid(text)).toBe(true)
    expect(isValid(text.replace('post', 'get'))).toBe(false)
    expect(request.headers).toEqual({ 'content-type': 'application/json' })
  })

  it('of a request without a body covers the first three', () => {
    const { headers } = signOci({ ...request, method: 'GET', body: null }, url, key, now)
    expect(fieldsOf(headers['authorization'])['headers']).toBe('date (request-target) host')
    expect(headers).not.toHaveProperty('x-content-sha256')
  })

  it('takes a key whose line breaks were written out', () => {
    const written = { ...key, privateKey: privateKey.replaceAll('\n', '\\n') }
    expect(signOci(request, url, written, now)).toEqual(signOci(request, url, key, now))
  })

  it('says that a key is none, without repeating it', () => {
    const work = () => signOci(request, url, { ...key, privateKey: 'secret-thing' }, now)
    expect(work).toThrow(GatewayError)
    expect(work).toThrow(/^(?!.*secret-thing).*PEM/)
  })
})
