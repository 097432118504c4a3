import { z } from 'zod'
import type { CallParts } from '../call/context.js'
import type { Deployment } from '../deployment.js'
import { jsonAnswer } from '../http/answer.js'
import { type Route, defineRoute } from '../http/route.js'
import { PageFields, pageOf } from './page-of.js'

const HealthQuery = z.strictObject({
  ...PageFields,
  /** Deployments of one model group. */
  model_name: z.string().min(1).max(400).optional(),
})

const DeploymentHealth = z.object({
  id: z.string(),
  model_name: z.string(),
  provider: z.string(),
  model: z.string(),
  state: z.enum(['healthy', 'cooling', 'half_open']),
  /** ISO 8601. */
  cooling_until: z.string().nullable(),
  cause: z.object({ kind: z.string(), status: z.number() }).nullable(),
  consecutive_failures: z.number(),
  in_flight: z.number(),
  requests_this_minute: z.number(),
  tokens_this_minute: z.number(),
  first_token_ms: z.object({ average: z.number().nullable(), p50: z.number().nullable(), p95: z.number().nullable() }),
  per_token_ms: z.object({ average: z.number().nullable(), p50: z.number().nullable(), p95: z.number().nullable() }),
})

/** What is known of one deployment, as it is told. */
export type DeploymentHealth = z.infer<typeof DeploymentHealth>

/** `GET /health/deployments`: how every deployment is, for admins. */
export function healthDeployments(parts: CallParts): Route {
  return defineRoute({
    method: 'GET',
    paths: ['/health/deployments'],
    access: 'admin',
    summary: 'Tells of every deployment whether it rests, why and until when, and how it did lately.',
    query: HealthQuery,
    response: z.object({ deployments: z.array(DeploymentHealth), next: z.string().nullable() }),
    examples: {
      all: { summary: 'One that is well, one that rests', answer: { deployments: [well, resting], next: null } },
    },
    handle: ({ query }) => {
      const wanted = parts.directory.groups.all.filter(
        ({ modelName }) => query?.model_name === undefined || modelName === query.model_name,
      )
      const { rows, next } = pageOf(wanted, query ?? {})
      return jsonAnswer(200, { deployments: rows.map((deployment) => toHealth(deployment, parts)), next })
    },
  })
}

function toHealth({ id, modelName, provider, model }: Deployment, { router, clock }: CallParts): DeploymentHealth {
  const state = router.state.of(id)
  const now = clock.now()
  const { coolingUntil, cause } = state
  const resting = coolingUntil !== 0
  return {
    id,
    model_name: modelName,
    provider,
    model,
    state: resting ? (now < coolingUntil ? 'cooling' : 'half_open') : 'healthy',
    cooling_until: resting ? new Date(coolingUntil).toISOString() : null,
    cause: resting && cause ? cause : null,
    consecutive_failures: state.consecutiveFailures,
    in_flight: state.inFlight,
    requests_this_minute: state.requests(now),
    tokens_this_minute: state.tokens(now),
    first_token_ms: {
      average: state.firstTokenMs(now) ?? null,
      p50: state.firstToken.quantile(0.5, now) ?? null,
      p95: state.firstToken.quantile(0.95, now) ?? null,
    },
    per_token_ms: {
      average: state.perTokenMs(now) ?? null,
      p50: state.perToken.quantile(0.5, now) ?? null,
      p95: state.perToken.quantile(0.95, now) ?? null,
    },
  }
}

const quantiles = { average: 410, p50: 390, p95: 720 }
const well: DeploymentHealth = {
  id: 'openai-eu',
  model_name: 'demo',
  provider: 'openai',
  model: 'gpt-5-mini',
  state: 'healthy',
  cooling_until: null,
  cause: null,
  consecutive_failures: 0,
  in_flight: 2,
  requests_this_minute: 31,
  tokens_this_minute: 18_400,
  first_token_ms: quantiles,
  per_token_ms: { average: 11, p50: 10, p95: 19 },
}
const resting: DeploymentHealth = {
  ...well,
  id: 'openai-us',
  state: 'cooling',
  cooling_until: '2026-11-26T12:00:30.000Z',
  cause: { kind: 'rate_limited', status: 429 },
  consecutive_failures: 3,
  in_flight: 0,
}
