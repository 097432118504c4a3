import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/config/config-error.js'
import { fromLiteLLMConfig } from '../../src/config/litellm.js'

const model_list = [{ model_name: 'fast', litellm_params: { model: 'acme/small' } }]

function read(sections: object, env: Record<string, string> = {}) {
  return fromLiteLLMConfig({ model_list, ...sections }, { env })
}

function problemsOf(sections: object): readonly string[] {
  try {
    read(sections)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

const guard = (name: string, params: object) => ({
  guardrail_name: name,
  litellm_params: { mode: 'pre_call', ...params },
})

describe('callbacks and guardrails of a whole file', () => {
  it('read callbacks and alerts, with variables of the file itself', () => {
    const { options, prometheus, warnings } = read(
      {
        environment_variables: { WEBHOOK_URL: 'https://hook.test/', SLACK_WEBHOOK_URL: 'os.environ/SLACK' },
        litellm_settings: {
          callbacks: ['prometheus', 'webhook'],
          failure_callback: ['s3'],
          s3_callback_params: {
            s3_bucket_name: 'logs',
            s3_aws_access_key_id: 'id',
            s3_aws_secret_access_key: 'os.environ/S3',
          },
          turn_off_message_logging: 'os.environ/PRIVATE',
        },
        general_settings: { alerting: ['slack'], alerting_threshold: '30', alert_types: ['budget_alerts'] },
      },
      { SLACK: 'https://slack.test/', S3: 's3-secret', PRIVATE: 'True' },
    )
    expect(options.callbacks).toMatchObject({
      bodies: false,
      sinks: [
        { type: 'webhook', on: 'all', url: 'https://hook.test/' },
        { type: 's3', on: 'failure', bucket: 'logs', credentials: { accessKeyId: 'id', secretAccessKey: 's3-secret' } },
        { type: 'slack', webhookUrl: 'https://slack.test/', alerts: ['budget'], slowMs: 30_000 },
      ],
    })
    expect(prometheus).toBe(true)
    expect(warnings).toEqual([])
  })

  it('read guardrails, on where a variable says so as Python writes it', () => {
    const guardrails = [
      guard('keys', { guardrail: 'hide-secrets', default_on: 'os.environ/ON' }),
      guard('other', { guardrail: 'lakera' }),
    ]
    const { options, warnings } = read({ guardrails }, { ON: 'True' })
    expect(options.guardrails).toMatchObject([{ name: 'keys', type: 'secrets', mode: ['pre_call'], defaultOn: true }])
    expect(warnings).toEqual(['guardrails[1].litellm_params.guardrail: lakera is not supported; this guardrail is OFF'])
  })

  it('leave the options out where the file has none', () => {
    const { options, ...rest } = read({})
    expect(options).not.toHaveProperty('callbacks')
    expect(options).not.toHaveProperty('guardrails')
    expect(rest).not.toHaveProperty('prometheus')
  })

  it('refuse what is wrong or missing, together and with its path', () => {
    const litellm_settings = { success_callback: ['webhook'] }
    expect(problemsOf({ litellm_settings, guardrails: {} })).toEqual([
      'guardrails: must be a list',
      'litellm_settings.success_callback: environment variable WEBHOOK_URL is not set',
    ])
    expect(
      problemsOf({
        litellm_settings: { callbacks: 5, turn_off_message_logging: 'maybe' },
        general_settings: { alerting_threshold: 'soon' },
      }),
    ).toEqual([
      'litellm_settings.callbacks: must be a list of names',
      'litellm_settings.turn_off_message_logging: must be true or false',
      'general_settings.alerting_threshold: must be a number of seconds above 0',
    ])
    expect(problemsOf({ litellm_settings: { s3_callback_params: { s3_bucket: 'logs' } } })[0]).toMatch(
      /^litellm_settings\.s3_callback_params\.s3_bucket: unknown key/,
    )
  })
})
