import { describe, expect, it } from 'vitest'
import { keyAuth } from '../../src/keys/key-auth.js'
import { hashKey } from '../../src/keys/key-material.js'
import type { Auth, Caller } from '../../src/ports.js'
import { requestOf } from '../support/http-request.js'
import { keyText, put, setUp } from './lab.js'

const host: Caller = { id: 'host', role: 'member', models: 'all', scopes: [] }
const hostAuth: Auth = { identify: () => host }

async function identify(auth: Auth, headers: Record<string, string>, path = '/v1/models') {
  return auth.identify(requestOf('GET', path, undefined, { headers }))
}

describe('the auth by virtual keys', () => {
  it.each([
    ['authorization', `Bearer ${keyText}`],
    ['authorization', `bearer  ${keyText} `],
    ['authorization', keyText],
    ['x-api-key', keyText],
    ['api-key', keyText],
    ['x-goog-api-key', keyText],
    ['x-litellm-api-key', `Bearer ${keyText}`],
  ])('finds the key in %s: %s', async (name, value) => {
    const { directory, hash } = await setUp()
    expect(await identify(keyAuth(directory), { [name]: value })).toMatchObject({ id: hash })
  })

  it('looks past a token of the host for the key beside it', async () => {
    const { directory, hash } = await setUp()
    const headers = { authorization: 'Bearer eyJhbGciOi', 'x-api-key': keyText }
    expect(await identify(keyAuth(directory, hostAuth), headers)).toMatchObject({ id: hash })
  })

  it('asks the host only where no key was given', async () => {
    const { directory } = await setUp()
    const auth = keyAuth(directory, hostAuth)
    expect(await identify(auth, {})).toBe(host)
    expect(await identify(auth, { authorization: 'Bearer eyJhbGciOi' })).toBe(host)
    expect(await identify(keyAuth(directory), {})).toBeNull()
    for (const wrong of ['sk-unknown-unknown', 'sk-', "sk-' OR '1'='1", 'SK-0123456789abcdef']) {
      await expect(identify(auth, { authorization: `Bearer ${wrong}` })).rejects.toMatchObject({ status: 401 })
    }
  })

  it('tells 401 of what is unknown or expired, 403 of what is blocked, and the key to nobody', async () => {
    const { directory, records, hash, clock } = await setUp()
    const auth = keyAuth(directory)
    const headers = { authorization: `Bearer ${keyText}` }
    await put(records, 'key', hash, { blocked: true })
    const refusal = await identify(auth, headers).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ status: 403, code: 'blocked' })
    await put(records, 'key', hash, { blocked: false, expires: new Date(clock.now()).toISOString() })
    await directory.changed('key', hash)
    const late = await Promise.resolve(identify(auth, headers)).catch((error: unknown) => error)
    expect(late).toMatchObject({ status: 401, code: 'expired_api_key' })
    expect(String(refusal) + String(late)).not.toMatch(/0123456789abcdef/)
  })

  it.each([
    ['llm_api', '/v1/chat/completions', true],
    ['llm_api', '/key/generate', false],
    ['management', '/key/generate', true],
    ['management', '/v1/chat/completions', false],
    ['read_only', '/key/info', true],
    ['read_only', '/key/generate', false],
    ['default', '/key/generate', true],
  ] as const)('lets a key of type %s to %s: %s', async (key_type, path, isAllowed) => {
    const { directory } = await setUp({ key_type })
    const answer = identify(keyAuth(directory), { 'x-api-key': keyText }, path)
    if (isAllowed) expect(await answer).toMatchObject({ role: 'member' })
    else await expect(answer).rejects.toMatchObject({ status: 403, code: 'route_not_allowed' })
  })

  it('keeps a key to its own list of paths and groups of paths', async () => {
    const { directory, hash } = await setUp({ allowed_routes: ['/v1/embeddings', 'info_routes', 'constructor'] })
    const to = (path: string) => identify(keyAuth(directory), { 'x-api-key': keyText }, path)
    expect([await to('/v1/embeddings'), await to('/key/info')]).toMatchObject([{ id: hash }, { id: hash }])
    await expect(to('/v1/chat/completions')).rejects.toMatchObject({ status: 403 })
  })
})

describe('the hash of a key', () => {
  it('is SHA-256 in hexadecimal digits', () => {
    // echo -n sk-0123456789abcdef | sha256sum
    expect(hashKey(keyText)).toMatch(/^[0-9a-f]{64}$/)
    expect(hashKey('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
  })
})
