import { describe, expect, it } from 'vitest'
import type { OutgoingRequest } from '../../src/upstream/client.js'
import { fetchIamToken, ibmIamUrl } from '../../src/upstream/ibm-iam.js'

const answering = (status: number, body: unknown) => {
  const sent: OutgoingRequest[] = []
  return {
    sent,
    exchange: (request: OutgoingRequest) => {
      sent.push(request)
      return Promise.resolve({ status, text: typeof body === 'string' ? body : JSON.stringify(body) })
    },
  }
}

describe('a token of IBM IAM', () => {
  it('is exchanged for an API key', async () => {
    const { sent, exchange } = answering(200, { access_token: 'tok', expires_in: 3_600, expiration: 1_700_003_600 })
    const token = await fetchIamToken(exchange, 'key & more', ibmIamUrl, 0)
    expect(token).toEqual({ token: 'tok', expiresAt: 1_700_003_600_000 })
    expect(sent).toEqual([
      {
        origin: 'https://iam.cloud.ibm.com',
        path: '/identity/token',
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
        body: 'grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=key+%26+more',
      },
    ])
  })

  it('lasts as long as IAM says, else an hour', async () => {
    const lasting = (body: object) => fetchIamToken(answering(200, body).exchange, 'k', ibmIamUrl, 1_000)
    expect((await lasting({ access_token: 't', expires_in: 60 })).expiresAt).toBe(61_000)
    expect((await lasting({ access_token: 't' })).expiresAt).toBe(3_601_000)
  })

  it('that is refused is a matter of the credential, anything else of the service', async () => {
    const kindOf = (status: number, body: unknown) =>
      fetchIamToken(answering(status, body).exchange, 'k', ibmIamUrl, 0).catch((error: unknown) => error)
    expect(await kindOf(400, { errorMessage: 'Provided API key could not be found.' })).toMatchObject({
      kind: 'upstream_authentication',
      message: 'IBM IAM gave no token (status 400): Provided API key could not be found.',
    })
    expect(await kindOf(503, '<html>')).toMatchObject({ kind: 'upstream_error' })
    expect(await kindOf(429, {})).toMatchObject({ kind: 'upstream_error' })
    expect(await kindOf(200, {})).toMatchObject({ kind: 'upstream_error' })
  })
})
