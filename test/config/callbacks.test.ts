import { describe, expect, it } from 'vitest'
import { CallbackOptionsSchema } from '../../src/callbacks/index.js'
import { type CallbackSection, toCallbackOptions } from '../../src/config/callbacks.js'

function read(section: CallbackSection, env: Record<string, string> = {}) {
  const findings = { problems: [] as string[], warnings: [] as string[] }
  const { options, prometheus } = toCallbackOptions({ turn_off_message_logging: true, ...section }, env, findings)
  return { options, prometheus, ...findings }
}

const aws = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION_NAME: 'eu-west-1' }

describe("LiteLLM's callbacks", () => {
  it('become sinks, with what their variables hold', () => {
    const env = {
      ...aws,
      LANGFUSE_PUBLIC_KEY: 'pk',
      LANGFUSE_SECRET_KEY: 'sk',
      LANGFUSE_HOST: 'https://eu.langfuse.example',
      LUNARY_PUBLIC_KEY: 'lunary',
      MLFLOW_TRACKING_URI: 'http://mlflow:5000',
      MLFLOW_EXPERIMENT_ID: '7',
      HELICONE_API_KEY: 'helicone',
      PROMPTLAYER_API_KEY: 'pl',
      TRACELOOP_API_KEY: 'tl',
      ATHINA_API_KEY: 'athina',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/',
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=a%20b, x-team=red',
      GENERIC_LOGGER_ENDPOINT: 'http://logs/hook',
      GENERIC_LOGGER_HEADERS: 'Authorization=Bearer abc==',
    }
    const callbacks =
      'langfuse lunary mlflow helicone promptlayer traceloop athina otel generic_api s3_v2 dynamodb'.split(' ')
    const s3_callback_params = { s3_bucket_name: 'logs', s3_path: 'litellm/' }
    const { options, problems, warnings } = read({ callbacks, s3_callback_params, dynamodb_table_name: 'calls' }, env)
    expect([problems, warnings]).toEqual([[], []])
    const credentials = { accessKeyId: 'id', secretAccessKey: 'secret' }
    expect(JSON.parse(JSON.stringify(options?.sinks))).toEqual([
      { type: 'langfuse', on: 'all', publicKey: 'pk', secretKey: 'sk', baseUrl: 'https://eu.langfuse.example' },
      { type: 'lunary', on: 'all', publicKey: 'lunary' },
      { type: 'mlflow', on: 'all', trackingUri: 'http://mlflow:5000', experimentId: '7' },
      { type: 'helicone', on: 'all', apiKey: 'helicone' },
      { type: 'promptlayer', on: 'all', apiKey: 'pl' },
      { type: 'traceloop', on: 'all', apiKey: 'tl' },
      { type: 'athina', on: 'all', apiKey: 'athina' },
      {
        type: 'otlp',
        on: 'all',
        url: 'http://collector:4318/v1/traces',
        headers: { 'api-key': 'a b', 'x-team': 'red' },
      },
      { type: 'webhook', on: 'all', url: 'http://logs/hook', headers: { Authorization: 'Bearer abc==' } },
      { type: 's3', on: 'all', bucket: 'logs', region: 'eu-west-1', prefix: 'litellm/', credentials },
      { type: 'dynamodb', on: 'all', table: 'calls', region: 'eu-west-1', credentials },
    ])
    expect(CallbackOptionsSchema.safeParse(options).error).toBeUndefined()
  })

  it('are told of successes, failures, or both', () => {
    const env = { ATHINA_API_KEY: 'a', HELICONE_API_KEY: 'h', LUNARY_PUBLIC_KEY: 'l', PROMPTLAYER_API_KEY: 'p' }
    const { options } = read(
      {
        success_callback: ['athina', 'helicone'],
        failure_callback: ['helicone', 'lunary'],
        callbacks: ['promptlayer', 'athina'],
      },
      env,
    )
    expect(Object.fromEntries(options?.sinks.map(({ type, on }) => [type, on]) ?? [])).toEqual({
      athina: 'all',
      helicone: 'all',
      lunary: 'failure',
      promptlayer: 'all',
    })
    expect(read({ success_callback: ['athina'] }, env).options?.sinks[0]?.on).toBe('success')
  })

  it('need their variables', () => {
    expect(read({ success_callback: ['langfuse'] }).problems).toEqual([
      'litellm_settings.success_callback: environment variable LANGFUSE_PUBLIC_KEY is not set',
      'litellm_settings.success_callback: environment variable LANGFUSE_SECRET_KEY is not set',
    ])
  })

  it('are warned about where they have no effect', () => {
    const { options, warnings } = read({ callbacks: ['datadog', 'my_module.handler', 'toString'] })
    expect(options).toBeUndefined()
    expect(warnings).toHaveLength(3)
    expect(warnings[0]).toBe('litellm_settings.callbacks: datadog is not a callback of Sluice and has no effect')
  })

  it('leave prometheus to whoever has the module', () => {
    expect(read({ callbacks: ['prometheus'] })).toMatchObject({ options: undefined, prometheus: true, warnings: [] })
    expect(read({}).prometheus).toBe(false)
  })

  it('record bodies only where message logging is switched on in so many words', () => {
    const env = { ATHINA_API_KEY: 'a' }
    expect(read({ callbacks: ['athina'], turn_off_message_logging: false }, env).options?.bodies).toBe(true)
    expect(read({ callbacks: ['athina'], turn_off_message_logging: true }, env).options?.bodies).toBe(false)
    const silent = read({ callbacks: ['athina'], turn_off_message_logging: undefined }, env)
    expect(silent.options?.bodies).toBe(false)
    expect(silent.warnings[0]).toMatch(/bodies of requests and answers are recorded only where it is false/)
  })

  it('tell two of one type apart', () => {
    const env = { GENERIC_LOGGER_ENDPOINT: 'http://a/', WEBHOOK_URL: 'http://b/' }
    const { options } = read({ callbacks: ['generic_api', 'webhook'] }, env)
    expect(options?.sinks.map(({ name }) => name)).toEqual([undefined, 'webhook-2'])
  })
})

describe("LiteLLM's alerting", () => {
  it('goes to Slack', () => {
    const alert_types = ['llm_too_slow', 'budget_alerts', 'llm_requests_hanging', 'new_team_created']
    const { options, warnings } = read(
      { alerting: ['slack', 'email'], alerting_threshold: 30, alert_types },
      { SLACK_WEBHOOK_URL: 'https://hooks.slack.example/x' },
    )
    expect(options?.sinks).toEqual([
      { type: 'slack', webhookUrl: 'https://hooks.slack.example/x', alerts: ['slow_call', 'budget'], slowMs: 30_000 },
    ])
    expect(warnings).toEqual(['general_settings.alerting: email has no effect; only slack is told of alerts'])
  })
})
