import type { Deployment } from '../../src/deployment.js'
import type { Caller } from '../../src/ports.js'
import { DeploymentState } from '../../src/router/deployment-state.js'
import { Member } from '../../src/router/model-group.js'
import { Secret } from '../../src/secret.js'

/** A deployment with plain values, for tests that care about a few of them. */
export function deploymentOf(own: Partial<Deployment> = {}): Deployment {
  return Object.freeze({
    id: 'deployment-1',
    modelName: 'fast',
    provider: 'openai',
    model: 'gpt-test',
    apiKey: new Secret('sk-test-0123456789'),
    baseUrl: undefined,
    apiVersion: undefined,
    organization: undefined,
    settings: {},
    headers: {},
    params: {},
    timeouts: { connect: 1_000, headers: 1_000, firstToken: 1_000, idle: 1_000, total: 10_000 },
    headersTimeoutSet: false,
    weight: 1,
    order: 1,
    rpm: undefined,
    tpm: undefined,
    maxParallelRequests: undefined,
    tags: [],
    region: undefined,
    cooldownMs: undefined,
    prices: undefined,
    dropParams: false,
    capabilities: {},
    info: {},
    ...own,
  })
}

/** A caller who may do everything. */
export const anyCaller: Caller = Object.freeze({ id: 'user-1', role: 'member', models: 'all', scopes: [] })

/** A deployment that may be picked, of which nothing is known yet. */
export function candidateOf(own: Partial<Deployment> = {}): Member {
  const deployment = deploymentOf(own)
  return new Member(deployment, new DeploymentState(deployment.id))
}
