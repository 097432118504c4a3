import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AwsKeys, signAwsRequest } from '../../src/upstream/sigv4.js'

const keys: AwsKeys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const now = Date.UTC(2015, 7, 30, 12, 36, 0)

/** The hash that AWS's own signer is given; it takes the key of an HMAC where it makes one. */
class Sha256 {
  readonly #hash

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'string' || secret === undefined ? secret : bytesOf(secret)
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }

  update(chunk: string | ArrayBuffer | ArrayBufferView) {
    this.#hash.update(typeof chunk === 'string' ? chunk : bytesOf(chunk))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }

  reset() {}
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Buffer {
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

async function oracle(url: string, headers: Record<string, string>, body: string, given: AwsKeys, region: string) {
  const { protocol, hostname, port, pathname, searchParams, host } = new URL(url)
  const signer = new SignatureV4({
    service: 'bedrock',
    region,
    credentials: { ...given, sessionToken: given.sessionToken ?? '' },
    sha256: Sha256,
    applyChecksum: false,
  })
  const query: Record<string, string[]> = {}
  for (const [name, value] of searchParams) query[name] = [...(query[name] ?? []), value]
  const request = {
    method: 'POST',
    protocol,
    hostname,
    ...(port !== '' && { port: Number(port) }),
    path: pathname,
    query,
    headers: { ...headers, host },
    body,
  }
  const signed = await signer.sign(request, { signingDate: new Date(now) })
  return signed.headers['authorization']
}

describe('the signature of a request to AWS', () => {
  it('is the one of the vector get-vanilla, written after the specification', () => {
    const request = { method: 'GET', url: 'https://example.amazonaws.com/', headers: {}, body: null }
    const signed = signAwsRequest(request, keys, { service: 'service', region: 'us-east-1', now })
    expect(signed['x-amz-date']).toBe('20150830T123600Z')
    expect(signed['authorization']).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, ' +
        'Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31',
    )
  })

  it("is the one of AWS's own signer, whatever path, query, headers and body", async () => {
    const segment = fc.stringMatching(/^[\p{L}\d :/()*'!~._-]{1,20}$/u).filter((text) => !/^\.+$/.test(text))
    const text = fc.string({ maxLength: 20 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(segment, { maxLength: 4 }),
        fc.uniqueArray(fc.tuple(fc.stringMatching(/^[a-zA-Z-]{1,6}$/), fc.stringMatching(/^[\w &=/+]{0,8}$/)), {
          selector: ([name]) => name,
          maxLength: 3,
        }),
        fc.string({ unit: 'grapheme', maxLength: 200 }),
        fc.option(fc.stringMatching(/^[\w+/=]{1,40}$/), { nil: undefined }),
        text,
        async (segments, query, body, sessionToken, extra) => {
          const search = new URLSearchParams(query).toString()
          const path = segments.map(encodeURIComponent).join('/')
          const url = `https://bedrock-runtime.us-west-2.amazonaws.com/${path}${search === '' ? '' : `?${search}`}`
          const given = { ...keys, ...(sessionToken !== undefined && { sessionToken }) }
          const headers = { 'content-type': 'application/json', 'x-amz-target': extra.replaceAll(/[^ -~]/g, '') }
          const scope = { service: 'bedrock', region: 'us-west-2', now }
          const signed = signAwsRequest({ method: 'POST', url, headers, body }, given, scope)
          expect(signed['authorization']).toBe(await oracle(url, headers, body, given, 'us-west-2'))
        },
      ),
    )
  })

  it('encodes the path of an ARN twice, as the service does', async () => {
    const arn = 'arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-v1:0'
    const url = `http://127.0.0.1:8123/model/${encodeURIComponent(arn)}/converse`
    const headers = { 'content-type': 'application/json' }
    const scope = { service: 'bedrock', region: 'eu-central-1', now }
    const signed = signAwsRequest({ method: 'POST', url, headers, body: '{}' }, keys, scope)
    expect(signed['authorization']).toBe(await oracle(url, headers, '{}', keys, 'eu-central-1'))
  })

  it('leaves headers that proxies may touch unsigned, and replaces an older signature', () => {
    const headers = { 'content-type': 'application/json', 'x-tenant': 'a', authorization: 'Bearer stale' }
    const scope = { service: 'bedrock', region: 'us-east-1', now }
    const request = { method: 'POST', url: 'https://example.com/', headers, body: '{}' }
    const signed = signAwsRequest(request, { ...keys, sessionToken: 'token' }, scope)
    expect(signed['authorization']).toContain('SignedHeaders=content-type;host;x-amz-date;x-amz-security-token,')
    expect(signed['x-tenant']).toBe('a')
    expect(headers.authorization).toBe('Bearer stale')
  })

  it('changes with the body, the day and the region', () => {
    const sign = (body: string, region: string, at: number) =>
      signAwsRequest({ method: 'POST', url: 'https://example.com/', headers: {}, body }, keys, {
        service: 'bedrock',
        region,
        now: at,
      })['authorization']
    const all = [sign('a', 'r', now), sign('b', 'r', now), sign('a', 's', now), sign('a', 'r', now + 86_400_000)]
    expect(new Set(all).size).toBe(4)
  })
})
