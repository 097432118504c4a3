import { describe, expect, it } from 'vitest'
import { masterKeyAuth } from '../src/master-key.js'
import { Secret } from '../src/secret.js'
import { anyCaller } from './support/deployment.js'
import { requestOf } from './support/http-request.js'

const withHeaders = (headers: Record<string, string>): ReturnType<typeof requestOf> =>
  requestOf('GET', '/', undefined, { headers })

describe('masterKeyAuth', () => {
  const auth = masterKeyAuth(new Secret('sk-master'), undefined)

  it.each([
    { authorization: 'Bearer sk-master' },
    { authorization: 'bearer  sk-master' },
    { 'api-key': 'sk-master' },
    { 'x-litellm-api-key': 'Bearer sk-master' },
    { 'x-litellm-api-key': 'sk-master' },
  ])('lets %j in as an admin', (headers) => {
    expect(auth.identify(withHeaders(headers))).toMatchObject({ role: 'admin', models: 'all' })
  })

  it.each([
    {},
    { authorization: 'sk-master' },
    { authorization: 'Bearer' },
    { authorization: 'Bearer ' },
    { authorization: 'Bearer sk-maste' },
    { authorization: 'Bearer sk-master2' },
    { authorization: "Bearer ' OR '1'='1" },
    { authorization: 'Basic sk-master' },
  ])('keeps %j out', (headers) => {
    expect(auth.identify(withHeaders(headers as Record<string, string>))).toBeNull()
  })

  it('asks the host for everybody else', () => {
    const both = masterKeyAuth('sk-master', { identify: () => anyCaller })
    expect(both.identify(withHeaders({}))).toBe(anyCaller)
    expect(both.identify(withHeaders({ authorization: 'Bearer sk-master' }))).toMatchObject({ role: 'admin' })
  })
})
