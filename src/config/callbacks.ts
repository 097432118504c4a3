import { z } from 'zod'
import type { CallbackOptions, SinkOptions } from '../callbacks/index.js'
import { type Environment, firstSet } from '../providers/environment.js'
import type { Findings } from './sift.js'

const names = z.union([z.string().transform((name) => [name]), z.array(z.string())], {
  error: 'must be a list of names',
})
const flag = z.union([z.boolean(), z.stringbool({ truthy: ['true'], falsy: ['false'] })], {
  error: 'must be true or false',
})
const text = z.string({ error: 'must be text' }).optional()

/** What `litellm_settings` says about callbacks. */
export const callbackFields = {
  success_callback: names.optional(),
  failure_callback: names.optional(),
  callbacks: names.optional(),
  turn_off_message_logging: flag.optional(),
  dynamodb_table_name: text,
  s3_callback_params: z
    .object(
      {
        s3_bucket_name: text,
        s3_region_name: text,
        s3_aws_access_key_id: text,
        s3_aws_secret_access_key: text,
        s3_aws_session_token: text,
        s3_endpoint_url: text,
        s3_path: text,
      },
      { error: 'must be a map' },
    )
    .optional(),
}

/** What `general_settings` says about alerts; the threshold in seconds. */
export const alertingFields = {
  alerting: names.optional(),
  alerting_threshold: z.coerce
    .number({ error: 'must be a number of seconds above 0' })
    .positive({ error: 'must be a number of seconds above 0' })
    .optional(),
  alert_types: names.optional(),
}

const schema = z.object({ ...callbackFields, ...alertingFields })

/** The parts of a file that are about callbacks: `litellm_settings` and `general_settings` together. */
export type CallbackSection = z.infer<typeof schema>

/** What a file says about callbacks. */
export interface CallbackConfig {
  /** Undefined where it names no sink. */
  readonly options: CallbackOptions | undefined
  /** It names `prometheus`: give a sink `{ type: 'prometheus', client }` with the module prom-client. */
  readonly prometheus: boolean
}

/** What a sink is made of: variables, and what the file says itself. */
interface Source {
  readonly section: CallbackSection
  /** The first of these variables that is set; a problem where none is. */
  readonly need: (...variables: readonly string[]) => string
  readonly find: (...variables: readonly string[]) => string | undefined
}

type Sink = (source: Source) => SinkOptions

const s3: Sink = ({ section, need, find }) => {
  const given = section.s3_callback_params ?? {}
  const region = given.s3_region_name ?? find('AWS_REGION_NAME', 'AWS_REGION', 'AWS_DEFAULT_REGION') ?? 'us-east-1'
  const path = given.s3_path?.replace(/\/+$/, '')
  return {
    type: 's3',
    bucket: given.s3_bucket_name ?? need('S3_BUCKET_NAME'),
    region,
    endpoint: given.s3_endpoint_url,
    ...(path && { prefix: `${path}/` }),
    credentials: {
      accessKeyId: given.s3_aws_access_key_id ?? need('AWS_ACCESS_KEY_ID'),
      secretAccessKey: given.s3_aws_secret_access_key ?? need('AWS_SECRET_ACCESS_KEY'),
      sessionToken: given.s3_aws_session_token ?? find('AWS_SESSION_TOKEN'),
    },
  }
}

const dynamodb: Sink = ({ section, need, find }) => ({
  type: 'dynamodb',
  table: section.dynamodb_table_name ?? need('DYNAMODB_TABLE_NAME'),
  region: need('AWS_REGION_NAME', 'AWS_REGION', 'AWS_DEFAULT_REGION'),
  credentials: {
    accessKeyId: need('AWS_ACCESS_KEY_ID'),
    secretAccessKey: need('AWS_SECRET_ACCESS_KEY'),
    sessionToken: find('AWS_SESSION_TOKEN'),
  },
})

const generic: Sink = ({ need, find }) => ({
  type: 'webhook',
  url: need('GENERIC_LOGGER_ENDPOINT'),
  headers: toHeaders(find('GENERIC_LOGGER_HEADERS')),
})

const otel: Sink = ({ need, find }) => ({
  type: 'otlp',
  url:
    find('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ??
    withPath(need('OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_ENDPOINT'), '/v1/traces'),
  headers: toHeaders(find('OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS', 'OTEL_HEADERS')),
  serviceName: find('OTEL_SERVICE_NAME'),
})

/** LiteLLM's names of callbacks, and the variables that each reads. */
const sinks: Readonly<Record<string, Sink>> = {
  langfuse: ({ need, find }) => ({
    type: 'langfuse',
    publicKey: need('LANGFUSE_PUBLIC_KEY'),
    secretKey: need('LANGFUSE_SECRET_KEY', 'LANGFUSE_SECRET'),
    baseUrl: find('LANGFUSE_HOST', 'LANGFUSE_BASE_URL'),
    release: find('LANGFUSE_RELEASE'),
    environment: find('LANGFUSE_TRACING_ENVIRONMENT'),
  }),
  lunary: ({ need, find }) => ({
    type: 'lunary',
    publicKey: need('LUNARY_PUBLIC_KEY'),
    baseUrl: find('LUNARY_API_URL'),
  }),
  mlflow: ({ need, find }) => ({
    type: 'mlflow',
    trackingUri: need('MLFLOW_TRACKING_URI'),
    experimentId: find('MLFLOW_EXPERIMENT_ID'),
    token: find('MLFLOW_TRACKING_TOKEN'),
    username: find('MLFLOW_TRACKING_USERNAME'),
    password: find('MLFLOW_TRACKING_PASSWORD'),
  }),
  helicone: ({ need, find }) => ({
    type: 'helicone',
    apiKey: need('HELICONE_API_KEY'),
    baseUrl: find('HELICONE_API_BASE'),
  }),
  promptlayer: ({ need }) => ({ type: 'promptlayer', apiKey: need('PROMPTLAYER_API_KEY') }),
  traceloop: ({ need, find }) => ({
    type: 'traceloop',
    apiKey: need('TRACELOOP_API_KEY'),
    baseUrl: find('TRACELOOP_BASE_URL'),
  }),
  athina: ({ need, find }) => ({
    type: 'athina',
    apiKey: need('ATHINA_API_KEY'),
    baseUrl: find('ATHINA_BASE_URL'),
  }),
  otel,
  s3,
  s3_v2: s3,
  dynamodb,
  generic,
  generic_api: generic,
  webhook: ({ need }) => ({ type: 'webhook', url: need('WEBHOOK_URL') }),
}

/** LiteLLM's kinds of alerts, by ours. */
const alertWords: Readonly<Record<string, 'budget' | 'cooldown' | 'error_rate' | 'slow_call' | 'daily_report'>> = {
  budget_alerts: 'budget',
  cooldown_deployment: 'cooldown',
  llm_exceptions: 'error_rate',
  outage_alerts: 'error_rate',
  llm_too_slow: 'slow_call',
  llm_requests_hanging: 'slow_call',
  daily_reports: 'daily_report',
  spend_reports: 'daily_report',
}

/** The sinks that a file names, with what they need from the environment. Adds to `findings`. */
export function toCallbackOptions(section: CallbackSection, env: Environment, findings: Findings): CallbackConfig {
  const wanted = readNames(section)
  const named = [...wanted].flatMap(([name, { on, path }]): SinkOptions[] => {
    const sink = Object.hasOwn(sinks, name) ? sinks[name] : undefined
    if (sink) return [{ ...sink(sourceOf(section, env, path, findings)), on }]
    if (name !== 'prometheus') findings.warnings.push(`${path}: ${name} is not a callback of Sluice and has no effect`)
    return []
  })
  const all = [...withNames(named), ...toAlerts(section, env, findings)]
  if (all.length > 0 && section.turn_off_message_logging === undefined) {
    findings.warnings.push(
      'litellm_settings.turn_off_message_logging: bodies of requests and answers are recorded only where it is false',
    )
  }
  return {
    options: all.length === 0 ? undefined : { sinks: all, bodies: section.turn_off_message_logging === false },
    prometheus: wanted.has('prometheus'),
  }
}

interface Wanted {
  readonly on: 'all' | 'success' | 'failure'
  readonly path: string
}

/** Each name once; one that both lists have is told of every call. */
function readNames(section: CallbackSection): ReadonlyMap<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  const lists = [
    ['callbacks', 'all'],
    ['success_callback', 'success'],
    ['failure_callback', 'failure'],
  ] as const
  for (const [list, on] of lists) {
    for (const name of section[list] ?? []) {
      const known = wanted.get(name)
      wanted.set(name, { on: known && known.on !== on ? 'all' : on, path: `litellm_settings.${list}` })
    }
  }
  return wanted
}

/** Two sinks of one type are told apart by a number. */
function withNames(named: readonly SinkOptions[]): readonly SinkOptions[] {
  const counts = new Map<string, number>()
  return named.map((sink) => {
    const count = (counts.get(sink.type) ?? 0) + 1
    counts.set(sink.type, count)
    return count === 1 ? sink : { ...sink, name: `${sink.type}-${count}` }
  })
}

function toAlerts(section: CallbackSection, env: Environment, findings: Findings): readonly SinkOptions[] {
  const path = 'general_settings.alerting'
  const places = section.alerting ?? []
  for (const place of places) {
    if (place !== 'slack') findings.warnings.push(`${path}: ${place} has no effect; only slack is told of alerts`)
  }
  if (!places.includes('slack')) return []
  const { need } = sourceOf(section, env, path, findings)
  const words = section.alert_types?.flatMap((word) => (Object.hasOwn(alertWords, word) ? [alertWords[word]] : []))
  const alerts = words && [...new Set(words)].filter((alert) => alert !== undefined)
  const threshold = section.alerting_threshold
  return [
    {
      type: 'slack',
      webhookUrl: need('SLACK_WEBHOOK_URL'),
      ...(alerts && { alerts }),
      ...(threshold !== undefined && { slowMs: Math.round(threshold * 1_000) }),
    },
  ]
}

function sourceOf(section: CallbackSection, env: Environment, path: string, { problems }: Findings): Source {
  return {
    section,
    find: (...variables) => firstSet(env, variables)?.value,
    need(...variables) {
      const found = firstSet(env, variables)
      if (found) return found.value
      problems.push(`${path}: environment variable ${variables[0]} is not set`)
      return ''
    },
  }
}

/** `name=value,name=value`, values percent-encoded as OpenTelemetry has them. */
function toHeaders(list: string | undefined): Readonly<Record<string, string>> {
  const pairs = (list ?? '').split(',').flatMap((pair) => {
    const [, name = '', value = ''] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? []
    return name === '' ? [] : [[name, decoded(value)] as const]
  })
  return Object.fromEntries(pairs)
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}

function withPath(base: string, path: string): string {
  return base === '' || base.endsWith(path) ? base : `${base.replace(/\/+$/, '')}${path}`
}
