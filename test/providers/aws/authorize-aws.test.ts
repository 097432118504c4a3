import { describe, expect, it, vi } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import { toGatewayError } from '../../../src/errors.js'
import { createBedrock } from '../../../src/providers/bedrock/index.js'
import { createDeployment, type DeploymentInput } from '../../../src/providers/create-deployment.js'
import { createRegistry } from '../../../src/providers/registry.js'
import { createTokenCache, type TokenExchange } from '../../../src/upstream/token-cache.js'
import { FakeClock } from '../../support/fake-clock.js'
import { defaultTimeouts } from '../../../src/index.js'

const request = {
  method: 'POST' as const,
  path: '/model/m/converse',
  headers: { 'content-type': 'application/json' },
  body: '{}',
  droppedParams: [],
}
const url = 'https://bedrock-runtime.us-west-2.amazonaws.com/model/m/converse'
const stsAnswer = (id: string, seconds: number) =>
  `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>` +
  `<SessionToken>t</SessionToken><Expiration>${new Date(1_800_000_000_000 + seconds * 1000).toISOString()}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`

interface Settings {
  readonly settings?: DeploymentInput['settings']
  readonly env?: Readonly<Record<string, string>>
  readonly apiKey?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly load?: (name: string) => Promise<unknown>
  readonly exchange?: TokenExchange
}

function setUp({ settings, env = {}, apiKey, headers, load, exchange }: Settings) {
  const clock = new FakeClock()
  const provider = createBedrock(load ?? (() => Promise.reject(new Error('not installed'))))
  const registry = createRegistry([provider])
  const defaults = { timeouts: defaultTimeouts, dropParams: false }
  const input = { modelName: 'm', model: 'bedrock/amazon.nova-lite-v1:0', settings, apiKey, headers }
  const deployment: Deployment = createDeployment(input, { registry, env, defaults })
  const tokens = createTokenCache(clock, exchange ?? (() => Promise.reject(new Error('no exchange'))))
  const sign = async () => {
    const signed = await provider.authorize(request, deployment, { clock, tokens, url })
    return signed.headers
  }
  return { clock, deployment, provider, sign }
}

const keyIn = (headers: Readonly<Record<string, string>>) =>
  /Credential=([^/]+)\//.exec(headers['authorization'] ?? '')?.[1]

async function errorOf(promise: Promise<unknown>) {
  try {
    await promise
  } catch (error) {
    return toGatewayError(error)
  }
  throw new Error('nothing was thrown')
}

describe('a request to AWS', () => {
  it('is signed with the keys of the deployment, which never mix with those of the environment', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'env', AWS_SECRET_ACCESS_KEY: 'e', AWS_SESSION_TOKEN: 'env-token' }
    const headers = await setUp({ settings: { accessKeyId: 'own', secretAccessKey: 's' }, env }).sign()
    expect(keyIn(headers)).toBe('own')
    expect(headers).not.toHaveProperty('x-amz-security-token')
    expect(headers['authorization']).toContain('/us-west-2/bedrock/aws4_request')
    const fromEnv = await setUp({ env: { ...env, AWS_REGION: 'eu-central-1' } }).sign()
    expect(keyIn(fromEnv)).toBe('env')
    expect(fromEnv['x-amz-security-token']).toBe('env-token')
    expect(fromEnv['authorization']).toContain('/eu-central-1/')
  })

  it('carries an API key of Bedrock as Bearer, and nothing of a signature', async () => {
    const expected = { 'content-type': 'application/json', authorization: 'Bearer bedrock-key' }
    expect(await setUp({ apiKey: 'bedrock-key' }).sign()).toEqual(expected)
    const env = { AWS_BEARER_TOKEN_BEDROCK: 'bedrock-key', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' }
    expect(await setUp({ env }).sign()).toEqual(expected)
  })

  it('is left alone where the host signs it', async () => {
    const headers = await setUp({ headers: { authorization: 'Custom x' } }).sign()
    expect(headers['authorization']).toBe('Custom x')
  })

  it('asks a function for credentials once, until they end, whoever waits', async () => {
    const credentials = vi.fn(async () => ({
      accessKeyId: `id${credentials.mock.calls.length}`,
      secretAccessKey: 's',
      expiration: new Date(1_800_000_000_000 + 3_600_000),
    }))
    const env = { AWS_BEARER_TOKEN_BEDROCK: 'x', AWS_ACCESS_KEY_ID: 'env', AWS_SECRET_ACCESS_KEY: 'e' }
    const { clock, sign } = setUp({ settings: { credentials }, env })
    const all = await Promise.all([sign(), sign(), sign()])
    expect(all.map(keyIn)).toEqual(['id1', 'id1', 'id1'])
    clock.advance(3_600_000 - 59_000)
    expect(keyIn(await sign())).toBe('id2')
    expect(credentials).toHaveBeenCalledTimes(2)
  })

  it('tells the functions of two deployments apart', async () => {
    const give = (accessKeyId: string) => async () => ({ accessKeyId, secretAccessKey: 's' })
    expect(keyIn(await setUp({ settings: { credentials: give('one') } }).sign())).toBe('one')
    expect(keyIn(await setUp({ settings: { credentials: give('two') } }).sign())).toBe('two')
  })

  it('says so when a function fails or gives no keys, and not what it threw', async () => {
    const failing = { credentials: () => Promise.reject(new Error('secret detail')) }
    const failure = await errorOf(setUp({ settings: failing }).sign())
    expect(failure).toMatchObject({ kind: 'upstream_authentication', status: 401 })
    expect(JSON.stringify(failure.toBody())).not.toContain('secret detail')
    expect((await errorOf(setUp({ settings: { credentials: async () => ({}) } }).sign())).message).toMatch(
      /no AWS keys/,
    )
  })

  it('uses the identity of the machine only where somebody said so', async () => {
    const load = vi.fn(async () => ({
      defaultProvider:
        ({ profile = 'none' }: { profile?: string }) =>
        async () => ({ accessKeyId: `chain-${profile}`, secretAccessKey: 's' }),
    }))
    expect((await errorOf(setUp({ load }).sign())).message).toMatch(/No AWS credentials were given.*AWS_ACCESS_KEY_ID/)
    expect(load).not.toHaveBeenCalled()
    expect(keyIn(await setUp({ load, settings: { credentials: 'chain' } }).sign())).toBe('chain-none')
    expect(keyIn(await setUp({ load, settings: { profile: 'work' } }).sign())).toBe('chain-work')
    expect(keyIn(await setUp({ load, env: { AWS_WEB_IDENTITY_TOKEN_FILE: '/t' } }).sign())).toBe('chain-none')
    expect(load).toHaveBeenCalledWith('@aws-sdk/credential-provider-node')
  })

  it('names the package that is missing', async () => {
    const failure = await errorOf(setUp({ settings: { profile: 'work' } }).sign())
    expect(failure.message).toMatch(/need the package @aws-sdk\/credential-provider-node/)
  })

  it('takes on a role with the keys it has, again when the role ends', async () => {
    const sent: string[] = []
    const exchange: TokenExchange = async ({ origin, body, headers }) => {
      sent.push(`${origin} ${String(body)} ${keyIn(headers)}`)
      return { status: 200, text: stsAnswer(`role${sent.length}`, 3600) }
    }
    const settings = {
      accessKeyId: 'own',
      secretAccessKey: 's',
      roleArn: 'arn:aws:iam::123456789012:role/r',
      externalId: 'e x',
      region: 'eu-west-1',
    }
    const { clock, sign } = setUp({ settings, exchange })
    const headers = await sign()
    expect(keyIn(headers)).toBe('role1')
    expect(headers['x-amz-security-token']).toBe('t')
    await sign()
    expect(sent).toHaveLength(1)
    expect(sent[0]).toMatch(/^https:\/\/sts\.eu-west-1\.amazonaws\.com Action=AssumeRole&.*ExternalId=e\+x.* own$/)
    clock.advance(3_600_000)
    expect(keyIn(await sign())).toBe('role2')
  })

  it('takes on a role with a token of an identity provider, unsigned', async () => {
    const exchange: TokenExchange = async ({ body, headers }) => {
      expect(String(body)).toContain('Action=AssumeRoleWithWebIdentity')
      expect(String(body)).toContain('WebIdentityToken=oidc')
      expect(headers).not.toHaveProperty('authorization')
      return { status: 200, text: stsAnswer('web', 3600) }
    }
    const settings = { roleArn: 'arn:aws:iam::1:role/r', webIdentityToken: 'oidc' }
    expect(keyIn(await setUp({ settings, exchange }).sign())).toBe('web')
  })

  it('repeats what AWS says when it does not give a role', async () => {
    const exchange: TokenExchange = async () => ({
      status: 403,
      text: '<ErrorResponse><Error><Code>AccessDenied</Code><Message>Not you.</Message></Error></ErrorResponse>',
    })
    const settings = { accessKeyId: 'own', secretAccessKey: 's', roleArn: 'arn:aws:iam::1:role/r' }
    const failure = await errorOf(setUp({ settings, exchange }).sign())
    expect(failure).toMatchObject({ kind: 'upstream_authentication', message: expect.stringContaining('Not you.') })
  })
})

describe('the address of Bedrock', () => {
  const addressOf = (model: string, settings: DeploymentInput['settings'] = {}, env = {}) => {
    const { provider } = setUp({})
    const registry = createRegistry([provider])
    const defaults = { timeouts: defaultTimeouts, dropParams: false }
    const deployment = createDeployment(
      { modelName: 'm', model: `bedrock/${model}`, settings },
      { registry, env, defaults },
    )
    return typeof provider.baseUrl === 'function' ? provider.baseUrl(deployment) : provider.baseUrl
  }

  it('is in the region of the model, the deployment, the environment, or us-west-2, in this order', () => {
    const arn = 'arn:aws:bedrock:ap-south-1:1:inference-profile/x'
    expect(addressOf(arn, { region: 'eu-west-1' })).toBe('https://bedrock-runtime.ap-south-1.amazonaws.com')
    expect(addressOf('us-gov-west-1/amazon.nova-lite-v1:0')).toBe('https://bedrock-runtime.us-gov-west-1.amazonaws.com')
    expect(addressOf('m', { region: 'eu-west-1' }, { AWS_REGION: 'eu-north-1' })).toContain('eu-west-1')
    expect(addressOf('m', {}, { AWS_REGION: 'eu-north-1' })).toContain('eu-north-1')
    expect(addressOf('m')).toContain('us-west-2')
    expect(addressOf('m', { region: 'cn-north-1' })).toBe('https://bedrock-runtime.cn-north-1.amazonaws.com.cn')
  })

  it('never holds anything but a region', () => {
    expect(() => addressOf('m', { region: 'evil.com/#' })).toThrow(/not an AWS region/)
    expect(addressOf('arn:aws:bedrock:evil.com/:1:inference-profile/x')).toContain('.us-west-2.amazonaws.com')
  })

  it('makes deployments that differ in their settings only two', () => {
    const [one, two] = ['eu-west-1', 'us-east-1'].map((region) => setUp({ settings: { region } }).deployment.id)
    expect(one).not.toBe(two)
    const keyed = ['a', 'b'].map(
      (accessKeyId) => setUp({ settings: { accessKeyId, secretAccessKey: 's' } }).deployment.id,
    )
    expect(new Set(keyed).size).toBe(2)
  })
})
