import { z } from 'zod'
import { GatewayError } from '../../errors.js'
import { jsonAnswer } from '../../http/answer.js'
import { namedShape } from '../../http/openapi/schema.js'
import type { Route } from '../../http/route.js'
import { defineManaged } from './managed.js'
import type { AdminParts } from './parts.js'
import { seesAll } from './spend-scope.js'

const group = z.looseObject({})
const orOff = z.union([z.literal(false), group])

/** Settings by the names of the gateway's options. */
const SettingsAnswer = namedShape(
  'Settings',
  z.object({
    gateway: group,
    access: group,
    stores: z.record(z.string(), z.string()),
    timeouts: z.record(z.string(), z.number()),
    routing: group,
    cache: orOff,
    idempotency: orOff,
    spend: group,
    guardrails: z.array(group),
    hooks: z.array(z.string()),
    prompts: z.array(z.string()),
    callbacks: group,
    models: z.object({ deployments: z.int(), list: z.array(group) }),
  }),
)

const example: z.infer<typeof SettingsAnswer> = {
  gateway: { version: '0.1.0', node: 'v22.0.0', maxBodyBytes: 20_971_520 },
  access: { auth: 'keys alone', masterKey: '***', keys: true },
  stores: { records: "the host's", ledger: "the host's", cache: 'memory of this process' },
  timeouts: { connect: 10_000, headers: 60_000, firstToken: 120_000, idle: 60_000, total: 600_000 },
  routing: { strategy: 'simple-shuffle', fallbacks: { fast: ['smart'] }, retry: { retries: 2, maxAttempts: 6 } },
  cache: false,
  idempotency: {},
  spend: { ledger: true, callLog: true, unknownPrice: 'allow' },
  guardrails: [{ type: 'pii', name: 'pii', mode: 'pre_call', defaultOn: true }],
  hooks: ['beforeCall'],
  prompts: [],
  callbacks: { bodies: false, sinks: [{ type: 'slack', webhookUrl: '***', on: 'all' }] },
  models: { deployments: 1, list: [{ modelName: 'fast', model: 'openai/gpt-5-mini', apiKey: '***' }] },
}

/** `GET /settings`: the configuration in force, without its secrets. */
export function settingsRoute(parts: AdminParts): Route {
  return defineManaged(parts, {
    method: 'GET',
    paths: ['/settings'],
    access: 'caller',
    summary: 'Tells the configuration in force, group by group, for those who see all; secrets are masked.',
    query: z.strictObject({}),
    response: SettingsAnswer,
    errors: ['permission'],
    examples: { all: { summary: 'All groups', answer: example } },
    handle: (actor) => {
      if (!seesAll(actor)) throw new GatewayError('permission', 'Only admins see the settings.')
      return jsonAnswer(200, parts.settings())
    },
  })
}
