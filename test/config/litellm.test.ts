import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/config/config-error.js'
import { fromLiteLLMConfig } from '../../src/config/litellm.js'
import { parseConfigText } from '../../src/config/yaml.js'

const secret = 'sk-very-secret-0123456789'

function read(config: unknown, env: Record<string, string | undefined> = {}) {
  return fromLiteLLMConfig(config, { env })
}

function problemsOf(config: unknown, env: Record<string, string | undefined> = {}): readonly string[] {
  try {
    read(config, env)
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  return []
}

function withParams(params: Record<string, unknown>, info?: Record<string, unknown>) {
  const entry = { model_name: 'fast', litellm_params: { model: 'acme/small', ...params } }
  return { model_list: [info ? { ...entry, model_info: info } : entry] }
}

const minimal = withParams({})

describe('fromLiteLLMConfig', () => {
  it('reads every supported key, seconds as milliseconds', () => {
    const { options, warnings } = read({
      model_list: [
        {
          model_name: 'fast',
          litellm_params: {
            model: 'acme/small',
            api_base: 'http://127.0.0.1:9/v1',
            api_key: secret,
            api_version: '2024-10-21',
            organization: 'org-1',
            timeout: 30,
            stream_timeout: 2.5,
            rpm: 60,
            tpm: 1000,
            weight: 3,
            order: 2,
            drop_params: true,
            extra_headers: { 'x-team': 'blue' },
            temperature: 0.2,
            top_k: 40,
            extra_body: { chat_template_kwargs: { thinking: false } },
          },
          model_info: {
            id: 'one',
            supports_vision: true,
            max_output_tokens: 4096,
            max_input_tokens: 32000,
            note: 'hi',
          },
        },
      ],
      litellm_settings: { drop_params: false, num_retries: 4, request_timeout: 600 },
      general_settings: { master_key: 'sk-master' },
      environment_variables: { ACME_KEY: 'from-file' },
    })
    expect(warnings).toEqual([])
    expect(options).toEqual({
      models: [
        {
          modelName: 'fast',
          model: 'acme/small',
          id: 'one',
          apiKey: secret,
          baseUrl: 'http://127.0.0.1:9/v1',
          apiVersion: '2024-10-21',
          organization: 'org-1',
          headers: { 'x-team': 'blue' },
          params: { temperature: 0.2, top_k: 40, chat_template_kwargs: { thinking: false } },
          timeouts: { headers: 30_000, firstToken: 2500 },
          weight: 3,
          order: 2,
          rpm: 60,
          tpm: 1000,
          dropParams: true,
          capabilities: { vision: true, maxOutputTokens: 4096, contextWindow: 32000 },
          info: { supports_vision: true, max_output_tokens: 4096, max_input_tokens: 32000, note: 'hi' },
        },
      ],
      masterKey: 'sk-master',
      dropParams: false,
      retries: 4,
      timeouts: { headers: 600_000, total: 3_600_000, firstToken: 600_000 },
      env: { ACME_KEY: 'from-file' },
    })
  })

  it('takes base_url for api_base, and custom_llm_provider for the prefix', () => {
    const { options } = read(withParams({ model: 'org/large', base_url: 'http://h/v1', custom_llm_provider: 'acme' }))
    expect(options.models[0]).toMatchObject({ model: 'acme/org/large', baseUrl: 'http://h/v1' })
    const prefixed = read(withParams({ model: 'acme/large', custom_llm_provider: 'acme' }))
    expect(prefixed.options.models[0]?.model).toBe('acme/large')
  })

  it('makes one deployment for each organization of a list', () => {
    const { options } = read(withParams({ organization: ['a', 'b'] }, { id: 'x' }))
    expect(options.models.map(({ id, organization }) => ({ id, organization }))).toEqual([
      { id: 'x-1', organization: 'a' },
      { id: 'x-2', organization: 'b' },
    ])
  })

  it('replaces os.environ/NAME anywhere, also inside a longer text, from env and from environment_variables', () => {
    const config = {
      ...withParams({
        api_key: 'os.environ/KEY',
        rpm: 'os.environ/RPM',
        drop_params: 'os.environ/DROP',
        extra_headers: { authorization: 'Bearer os.environ/TOKEN' },
        metadata_list: ['os.environ/KEY'],
      }),
      environment_variables: { TOKEN: 'os.environ/KEY' },
    }
    const { options } = read(config, { KEY: 'k1', RPM: '7', DROP: 'True' })
    expect(options.models[0]).toMatchObject({
      apiKey: 'k1',
      rpm: 7,
      dropParams: true,
      headers: { authorization: 'Bearer k1' },
      params: { metadata_list: ['k1'] },
    })
    expect(options.env).toEqual({ KEY: 'k1', RPM: '7', DROP: 'True', TOKEN: 'k1' })
  })

  it('names the path and the variable when one is missing, once', () => {
    const expected = ['model_list[0].litellm_params.api_key: environment variable NO_SUCH is not set']
    expect(problemsOf(withParams({ api_key: 'os.environ/NO_SUCH' }))).toEqual(expected)
    expect(problemsOf(withParams({ api_key: 'os.environ/NO_SUCH' }), { NO_SUCH: '' })).toEqual(expected)
  })

  it('does not take a variable from the prototype of env', () => {
    expect(problemsOf(withParams({ api_key: 'os.environ/constructor' }))).toHaveLength(1)
  })

  it('does not ask for variables of keys that have no effect', () => {
    const { warnings } = read({ ...minimal, general_settings: { alerting_args: 'os.environ/NO_SUCH' } })
    expect(warnings).toEqual(['general_settings.alerting_args: known to LiteLLM but not supported yet; ignored'])
  })

  it('reads the settings of clouds, and sends none of them as parameters', () => {
    const { options, warnings } = read(
      withParams({
        aws_region_name: 'eu-west-1',
        aws_secret_access_key: 'os.environ/S',
        vertex_project: 'p',
        top_k: 5,
      }),
      { S: secret },
    )
    expect(options.models[0]).toMatchObject({
      settings: { region: 'eu-west-1', secretAccessKey: secret, project: 'p' },
      params: { top_k: 5 },
    })
    expect(warnings).toEqual([])
  })

  it('warns with the path about every key that LiteLLM knows and that has no effect', () => {
    const { warnings, options } = read({
      ...withParams(
        { num_retries: 3, aws_bedrock_runtime_endpoint: secret, input_cost_per_parsec: 1 },
        { team_id: 't' },
      ),
      litellm_settings: { service_callback: ['x'], s3_callback_params: { s3_verify: false } },
      router_settings: { polling_interval: 1, num_retries: 5, redis_password: secret },
      include: ['other.yaml'],
    })
    expect(new Set(warnings.map((warning) => warning.split(':')[0]))).toEqual(
      new Set([
        'include',
        'litellm_settings.s3_callback_params.s3_verify',
        'litellm_settings.service_callback',
        'model_list[0].litellm_params.aws_bedrock_runtime_endpoint',
        'model_list[0].litellm_params.input_cost_per_parsec',
        'model_list[0].litellm_params.num_retries',
        'model_list[0].model_info.team_id',
        'router_settings.polling_interval',
      ]),
    )
    expect(warnings).toHaveLength(8)
    expect(options.retries).toBe(5)
    expect(options.models[0]).not.toHaveProperty('params')
    expect(warnings.join()).not.toContain(secret)
  })

  it('lists every unknown key with its path and a suggestion', () => {
    const config = {
      model_list: [{ model_name: 'a', litellm_params: { model: 'acme/a' }, litelm_params: {}, zzz: 1 }],
      litellm_settings: { drop_parms: true },
      general_settings: { mater_key: secret },
      router_settings: { routing_stratgy: 'x' },
      modle_list: [],
    }
    expect(problemsOf(config)).toEqual([
      'modle_list: unknown key; did you mean model_list?',
      'model_list[0].litelm_params: unknown key; did you mean litellm_params?',
      'model_list[0].zzz: unknown key',
      'litellm_settings.drop_parms: unknown key; did you mean drop_params?',
      'general_settings.mater_key: unknown key; did you mean master_key?',
      'router_settings.routing_stratgy: unknown key; did you mean routing_strategy?',
    ])
  })

  it('keeps a misspelt credential from becoming a request parameter', () => {
    const { warnings, options } = read(withParams({ api_kye: secret, api_bse: 'http://h', top_k: 1, models: ['b'] }))
    expect(warnings).toHaveLength(2)
    expect(warnings[0]).toMatch(/^model_list\[0\]\.litellm_params\.api_kye: left out.*misspelt api_key/)
    expect(warnings[1]).toContain('api_base')
    expect(options.models[0]?.params).toEqual({ top_k: 1, models: ['b'] })
    expect(warnings.join()).not.toContain(secret)
  })

  it('takes common request parameters of providers as parameters', () => {
    const params = {
      temperature: 1,
      top_p: 1,
      max_tokens: 5,
      stop: ['x'],
      seed: 1,
      n: 1,
      user: 'u',
      reasoning_effort: 'low',
      thinking: { type: 'enabled' },
      safety_settings: [],
      presence_penalty: 0,
      frequency_penalty: 0,
      logit_bias: {},
      response_format: { type: 'json_object' },
      parallel_tool_calls: false,
      min_p: 0,
      repetition_penalty: 1,
      service_tier: 'flex',
      provider: { order: ['x'] },
      transforms: [],
      route: 'fallback',
      verbosity: 'low',
      keep_alive: 1,
      num_ctx: 2,
      dimensions: 3,
      height: 4,
      border: 5,
      input_type: 'query',
      encoding_format: 'float',
      store: true,
    }
    const { options, warnings } = read(withParams(params))
    expect(warnings).toEqual([])
    expect(options.models[0]?.params).toEqual(params)
  })

  it.each([
    ['nothing', {}, 'model_list: is required'],
    ['an empty list', { model_list: [] }, 'model_list: must name at least one model'],
    ['a list that is none', { model_list: 'x' }, 'model_list: must be a list of models'],
    ['no name', { model_list: [{ litellm_params: { model: 'a/b' } }] }, 'model_list[0].model_name: is required'],
    ['no model', withParams({ model: undefined }), 'model_list[0].litellm_params.model: is required'],
    ['a wrong number', withParams({ rpm: 'many' }), 'model_list[0].litellm_params.rpm: must be a number'],
    ['a negative number', withParams({ tpm: -1 }), 'model_list[0].litellm_params.tpm: must be a number above 0'],
    [
      'no time',
      withParams({ timeout: 0 }),
      'model_list[0].litellm_params.timeout: must be a number of seconds above 0',
    ],
    [
      'a wrong switch',
      withParams({ drop_params: 'perhaps' }),
      'model_list[0].litellm_params.drop_params: must be true or false',
    ],
    [
      'a part of a token',
      withParams({}, { max_input_tokens: 8192.5 }),
      'model_list[0].model_info.max_input_tokens: must be a whole number, 0 or more',
    ],
    [
      'no tokens',
      withParams({}, { max_output_tokens: 0 }),
      'model_list[0].model_info.max_output_tokens: must be 1 or more',
    ],
    ['a key that is no text', withParams({ api_key: { a: 1 } }), 'model_list[0].litellm_params.api_key: must be text'],
    [
      'too many retries',
      { ...minimal, litellm_settings: { num_retries: 11 } },
      'litellm_settings.num_retries: must be 10 at most',
    ],
    ['a section of the wrong kind', { ...minimal, litellm_settings: [1] }, 'litellm_settings: must be a map'],
    ['wrong variables', { ...minimal, environment_variables: { A: [1] } }, 'environment_variables.A: must be text'],
  ])('refuses %s', (_, config, problem) => {
    expect(problemsOf(config)).toEqual([problem])
  })

  it('reads tokens in quotes and with an exponent as whole numbers', async () => {
    const text = [
      'model_list:',
      '  - model_name: a',
      '    litellm_params: { model: openai/a }',
      '    model_info: { max_input_tokens: 1e6, max_output_tokens: "4096" }',
    ].join('\n')
    const { options } = read(await parseConfigText(text, 'config.yaml'))
    expect(options.models[0]?.capabilities).toEqual({ contextWindow: 1_000_000, maxOutputTokens: 4096 })
  })

  it('refuses what is not a map', () => {
    for (const config of [null, 'text', 3, []]) expect(problemsOf(config)).toHaveLength(1)
  })

  it('never shows a value in an error', () => {
    const config = {
      model_list: [
        { model_name: { [secret]: 1 }, litellm_params: { model: [secret], api_key: [secret], timeout: secret } },
      ],
      general_settings: { master_key: { deep: secret } },
      litellm_settings: secret,
    }
    const problems = problemsOf(config)
    expect(problems.length).toBeGreaterThan(4)
    expect(problems.join('\n')).not.toContain(secret)
  })

  it('treats a key without a value as not set', () => {
    const { options } = read({ ...withParams({ api_key: null, timeout: null }, { id: null }), litellm_settings: null })
    expect(options).toEqual({ models: [{ modelName: 'fast', model: 'acme/small' }], env: {} })
  })

  it('leaves the configuration that it was given as it was', () => {
    const config = { ...withParams({ api_key: 'os.environ/KEY', top_k: 1 }), litellm_settings: { cache: true } }
    const before = structuredClone(config)
    read(config, { KEY: 'k' })
    expect(config).toEqual(before)
  })
})
