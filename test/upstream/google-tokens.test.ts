import { createVerify, generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { OutgoingRequest } from '../../src/upstream/client.js'
import { projectInCredentials, readGoogleCredentials } from '../../src/upstream/google-credentials.js'
import { fetchGoogleAccess } from '../../src/upstream/google-tokens.js'
import type { TokenExchange } from '../../src/upstream/token-cache.js'
import { FakeClock } from '../support/fake-clock.js'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
const account = {
  type: 'service_account',
  project_id: 'my-project',
  private_key_id: 'key-1',
  private_key: pem,
  client_email: 'robot@my-project.iam.test',
  token_uri: 'https://tokens.test/token?x=1',
}
const user = {
  type: 'authorized_user',
  client_id: 'id-1',
  client_secret: 'secret-1',
  refresh_token: 'refresh-1',
  quota_project_id: 'payer',
}

/** An exchange that answers these in order and keeps what it was asked. */
function answering(...answers: readonly { status?: number; body: unknown }[]) {
  const asked: OutgoingRequest[] = []
  const exchange: TokenExchange = (request) => {
    const { status = 200, body } = answers[asked.length] ?? { status: 500, body: '' }
    asked.push(request)
    return Promise.resolve({ status, text: typeof body === 'string' ? body : JSON.stringify(body) })
  }
  return { asked, exchange }
}

const clock = new FakeClock()
const granted = { access_token: 'ya29.token', expires_in: 3599 }

async function ask(given: unknown, ...answers: readonly { status?: number; body: unknown }[]) {
  const { asked, exchange } = answering(...answers)
  const access = await fetchGoogleAccess(await readGoogleCredentials(given), exchange, clock)
  return { asked, access }
}

describe("Google's access tokens", () => {
  let folder = ''
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'google-'))
    await writeFile(join(folder, 'key.json'), JSON.stringify(account))
    await writeFile(join(folder, 'broken.json'), '{')
  })
  afterAll(() => rm(folder, { recursive: true }))

  it('are given for a signed claim of a service account, at its own token_uri', async () => {
    const { asked, access } = await ask(account, { body: granted })
    expect(access).toEqual({
      token: 'ya29.token',
      expiresAt: clock.now() + 3_599_000,
      project: 'my-project',
      quotaProject: undefined,
    })
    const [request] = asked
    expect(request).toMatchObject({ origin: 'https://tokens.test', path: '/token?x=1', method: 'POST' })
    const form = new URLSearchParams(String(request?.body))
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const [header = '', claim = '', signature = ''] = (form.get('assertion') ?? '').split('.')
    const read = (part: string): unknown => JSON.parse(Buffer.from(part, 'base64url').toString())
    expect(read(header)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-1' })
    const now = Math.floor(clock.now() / 1000)
    expect(read(claim)).toEqual({
      iss: account.client_email,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: account.token_uri,
      iat: now,
      exp: now + 3600,
    })
    const verify = createVerify('RSA-SHA256').update(`${header}.${claim}`)
    expect(verify.verify(publicKey, signature, 'base64url')).toBe(true)
  })

  it('are given for JSON text, also with line feeds written out, and for a file', async () => {
    const text = JSON.stringify({ ...account, private_key: pem.replaceAll('\n', String.raw`\n`) })
    expect((await ask(text, { body: granted })).access.token).toBe('ya29.token')
    expect((await ask(join(folder, 'key.json'), { body: granted })).access.project).toBe('my-project')
  })

  it("are given for a user's refresh token, with the project that pays", async () => {
    const { asked, access } = await ask(user, { body: granted })
    expect(access.quotaProject).toBe('payer')
    expect(asked[0]).toMatchObject({ origin: 'https://oauth2.googleapis.com', path: '/token' })
    expect(Object.fromEntries(new URLSearchParams(String(asked[0]?.body)))).toEqual({
      grant_type: 'refresh_token',
      client_id: 'id-1',
      client_secret: 'secret-1',
      refresh_token: 'refresh-1',
    })
  })

  it('are given by the metadata server, which also knows the project', async () => {
    const { asked, access } = await ask('metadata', { body: granted }, { body: 'cloud-project\n' })
    expect(access).toMatchObject({ token: 'ya29.token', project: 'cloud-project' })
    expect(asked.map(({ origin, headers }) => [origin, headers['metadata-flavor']])).toEqual([
      ['http://metadata.google.internal', 'Google'],
      ['http://metadata.google.internal', 'Google'],
    ])
    expect((await ask('metadata', { body: granted }, { status: 404, body: '' })).access.project).toBeUndefined()
  })

  it('are refused in words that hold nothing secret', async () => {
    const denied = { status: 400, body: { error: 'invalid_grant', error_description: 'Token has been revoked.' } }
    await expect(ask(user, denied)).rejects.toMatchObject({
      kind: 'upstream_authentication',
      message: 'Google gave no access token (400: Token has been revoked.).',
    })
    await expect(ask(user, { status: 503, body: 'busy' })).rejects.toMatchObject({ kind: 'unavailable' })
    await expect(ask(user, { body: {} })).rejects.toMatchObject({ kind: 'upstream_authentication' })
    const broken = ask({ ...account, private_key: 'not a key' }, { body: granted })
    await expect(broken).rejects.toMatchObject({ kind: 'upstream_authentication' })
    await expect(broken).rejects.not.toMatchObject({ message: expect.stringContaining('not a key') as unknown })
  })

  it('need credentials that can be read', async () => {
    await expect(readGoogleCredentials(join(folder, 'none.json'))).rejects.toMatchObject({ param: 'credentials' })
    await expect(readGoogleCredentials(join(folder, 'broken.json'))).rejects.toThrow(/no JSON object/)
    await expect(readGoogleCredentials({ type: 'authorized_user' })).rejects.toThrow(/lack client_id/)
    await expect(readGoogleCredentials({ ...account, token_uri: 'nowhere' })).rejects.toThrow(/token_uri/)
    await expect(readGoogleCredentials(7)).rejects.toThrow(/must be/)
  })

  it('tell the project without a file being read', () => {
    expect(projectInCredentials(account)).toBe('my-project')
    expect(projectInCredentials(JSON.stringify(account))).toBe('my-project')
    expect(projectInCredentials('/some/key.json')).toBeUndefined()
    expect(projectInCredentials(undefined)).toBeUndefined()
  })
})

describe("Google's own library", () => {
  const { exchange } = answering()
  const federated = { type: 'external_account', audience: 'a' }

  it('is asked for default credentials and for accounts that only it knows', async () => {
    const options: unknown[] = []
    class GoogleAuth {
      constructor(given: unknown) {
        options.push(given)
      }
      getClient() {
        const credentials = { expiry_date: clock.now() + 60_000 }
        return Promise.resolve({
          credentials,
          quotaProjectId: 'payer',
          getAccessToken: () => Promise.resolve({ token: 'ya29.adc' }),
        })
      }
      getProjectId() {
        return Promise.resolve('adc-project')
      }
    }
    const load = () => Promise.resolve({ GoogleAuth })
    const access = await fetchGoogleAccess(await readGoogleCredentials(undefined), exchange, clock, load)
    expect(access).toEqual({
      token: 'ya29.adc',
      expiresAt: clock.now() + 60_000,
      project: 'adc-project',
      quotaProject: 'payer',
    })
    await fetchGoogleAccess(await readGoogleCredentials(federated), exchange, clock, load)
    const scopes = 'https://www.googleapis.com/auth/cloud-platform'
    expect(options).toEqual([{ scopes }, { scopes, credentials: federated }])
  })

  it('is named where it is missing', async () => {
    const missing = () => Promise.reject(new Error('Cannot find module'))
    const asked = fetchGoogleAccess({ kind: 'library', json: federated }, exchange, clock, missing)
    await expect(asked).rejects.toMatchObject({ status: 400 })
    await expect(asked).rejects.toThrow(/external_account need the package google-auth-library.*npm install/)
  })

  it('that finds nothing is a failed authentication', async () => {
    class GoogleAuth {
      getClient() {
        return Promise.reject(new Error('no credentials'))
      }
    }
    const asked = fetchGoogleAccess({ kind: 'library', json: undefined }, exchange, clock, () =>
      Promise.resolve({ GoogleAuth }),
    )
    await expect(asked).rejects.toMatchObject({ kind: 'upstream_authentication' })
  })
})
