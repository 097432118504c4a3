import { describe, expect, it } from 'vitest'
import type { SentRequest } from '../../src/upstream/message.js'
import { redact, redactError } from '../../src/call/redact.js'
import type { Deployment } from '../../src/deployment.js'
import { GatewayError } from '../../src/errors.js'
import { Secret } from '../../src/secret.js'
import { deploymentOf } from '../support/deployment.js'

const key = 'my$ecret.key+1'
const deployment = deploymentOf({ apiKey: new Secret(key) })
const without = (text: string, own: Deployment = deployment, sent?: SentRequest): string => redact(text, own, sent)

const request = { method: 'POST', path: '/chat', headers: { accept: 'a/b' }, body: null, droppedParams: [] } as const
const sentWith = (headers: Readonly<Record<string, string>>, path = '/chat', tokens: readonly string[] = []) => ({
  encoded: request,
  signed: { ...request, path, headers: { ...request.headers, ...headers } },
  tokens: new Set(tokens),
})

describe('redact', () => {
  it.each([
    ['the very key', 'bad key my$ecret.key+1!', 'bad key ***!'],
    ['a masked key', 'Incorrect API key provided: sk-proj-********abcd. See', 'Incorrect API key provided: ***'],
    ['another key', 'got sk-ant-REDACTED here', 'got *** here'],
    ['a Google key', 'key AIzaSyA-1234567890_abc is not valid', 'key *** is not valid'],
    ['the key in a URL', 'GET /x?key=my%24ecret.key%2B1 failed', 'GET /x?key=*** failed'],
  ])('takes out %s', (_, text, expected) => {
    expect(without(text)).toContain(expected)
  })

  it.each(['', 'u:', 'us:', 'user:', 'long-user-name:'])('takes out base64 of the key behind "%s"', (before) => {
    for (const after of ['', ':', ':x']) {
      for (const form of ['base64', 'base64url'] as const) {
        const quoted = Buffer.from(before + key + after).toString(form)
        const cleared = without(`got ${quoted}.`)
        expect(cleared).toContain('***')
        // At most the characters that the key shares with its neighbours are left.
        expect(cleared.length).toBeLessThan('got ***.'.length + quoted.length - key.length)
      }
    }
  })

  it('leaves ordinary words alone', () => {
    const text = 'The token-based limit of task-oriented models; risk-averse sk-8 key_1.'
    expect(without(text)).toBe(text)
  })

  it('takes out secret settings at any depth, and what a key file holds', () => {
    const settings = {
      secret: new Secret('setting-4711'),
      credentials: new Secret(JSON.stringify({ private_key: 'pem 0815', type: 'service_account' })),
      aws: {
        region: 'eu-1',
        secretAccessKey: 'aws/0123456789',
        nested: [{ a: 1 }],
        inner: { x: new Secret('deep-1') },
      },
      region: 'eu-west-1',
    }
    const text = 'setting-4711 pem 0815 aws/0123456789 deep-1 eu-west-1 service_account'
    expect(without(text, deploymentOf({ settings }))).toBe('*** *** *** *** eu-west-1 service_account')
  })

  it('takes out what authorize added under a name that tells of a credential, with and without its scheme', () => {
    const sent = sentWith({
      authorization: 'AWS4-HMAC-SHA256 Credential=AKID0123/2026/x, SignedHeaders=host, Signature=abcdef0123456789',
      'x-house-token': 'house4711',
      'x-signature': 'c2lnbmVk',
      cookie: 'session=session-0123; theme=dark',
      'x-other': 'Basic dXNlcjpwYXNz',
      'x-snowflake-authorization-token-type': 'KEYPAIR_JWT',
      'anthropic-version': '2023-06-01',
      'x-token-version': '2023-06-01',
      'x-key-id-method': 'plain-words',
    })
    const text = [
      'AKID0123/2026/x abcdef0123456789 house4711 c2lnbmVk session-0123 dXNlcjpwYXNz',
      'AWS4-HMAC-SHA256 dark KEYPAIR_JWT 2023-06-01 plain-words host a/b',
    ]
    expect(without(text.join(' | '), deployment, sent)).toBe(`${'*** '.repeat(6).trim()} | ${text[1]}`)
  })

  it('takes out a signature in the query, and tokens that were fetched', () => {
    const tokens = ['fetched.4711', JSON.stringify({ token: 'inner.4711', project: 'house' })]
    const sent = sentWith({}, '/chat?api-version=2024-10-21&token=query4711', tokens)
    const text = 'query4711 fetched.4711 inner.4711 2024-10-21 /chat house'
    expect(without(text, deployment, sent)).toBe('*** *** *** 2024-10-21 /chat house')
  })

  it.each([
    [
      'http://llm.corp.internal:8000/v1',
      'no route to llm.corp.internal:8000, LLM.corp.internal',
      'no route to ***, ***',
    ],
    [
      'https://10.0.0.1',
      'at https://10.0.0.1:443/x not 10.0.0.12 or 110.0.0.1',
      'at https://***/x not 10.0.0.12 or 110.0.0.1',
    ],
    ['http://[fd00::1]:80', 'http://[fd00::1]:81/ and fd00::1', 'http://***/ and ***'],
    ['http://vllm:8000', 'vllm at http://vllm/x and vllm:8000', 'vllm at http://***/x and ***'],
    ['https://a.example', 'A. example; a.example.', 'A. example; ***.'],
    ['https://a.example', 'b.a.example and a.example.org', 'b.a.example and a.example.org'],
  ])('takes out the address of %s', (baseUrl, text, expected) => {
    expect(without(text, deploymentOf({ baseUrl }))).toBe(expected)
  })
})

describe('redactError', () => {
  const own = deploymentOf({ provider: 'vllm', baseUrl: 'http://vllm.internal:8000/v1' })
  const place = 'http://vllm.internal:8000'

  it('clears message, code, type, param and what the provider said', () => {
    const error = new GatewayError('upstream_error', `m ${place}`, {
      code: `c ${place}`,
      type: `t ${place}`,
      param: `p ${place}`,
      retryAfterMs: 5,
      ownCredentials: true,
      upstream: { provider: 'vllm', status: 500, code: `c ${place}`, type: `t ${place}`, request_id: `r ${place}` },
    })
    expect(redactError(error, own, undefined)).toMatchObject({
      message: 'm http://***',
      code: 'c http://***',
      type: 't http://***',
      param: 'p http://***',
      retryAfterMs: 5,
      ownCredentials: true,
      upstream: {
        provider: 'vllm',
        status: 500,
        code: 'c http://***',
        type: 't http://***',
        request_id: 'r http://***',
      },
    })
  })

  it('gives the same error where there is nothing to take out', () => {
    const error = new GatewayError('upstream_error', 'busy', { upstream: { provider: 'vllm', status: 500, code: 'x' } })
    expect(redactError(error, own, undefined)).toBe(error)
  })
})
