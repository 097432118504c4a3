import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/config/config-error.js'
import { fromLiteLLMConfig } from '../../src/config/index.js'
import { createGateway } from '../../src/index.js'

const model = { model_name: 'gpt', litellm_params: { model: 'openai/gpt-5-mini', api_key: 'k' } }
const read = (sections: object, params: object = {}) =>
  fromLiteLLMConfig(
    { model_list: [{ ...model, litellm_params: { ...model.litellm_params, ...params } }], ...sections },
    { env: {} },
  )

describe('router_settings of a LiteLLM file', () => {
  it('are read, seconds as milliseconds', () => {
    const { options, warnings } = read({
      router_settings: {
        routing_strategy: 'latency-based-routing',
        num_retries: 3,
        retry_after: 0.5,
        timeout: 30,
        stream_timeout: 10,
        headers_timeout: 5,
        first_token_timeout: 8,
        stream_idle_timeout: 15,
        cooldown_time: 20,
        allowed_fails: 5,
        allowed_fails_policy: { RateLimitErrorAllowedFails: 100 },
        retry_policy: { TimeoutErrorRetries: 1, BadRequestErrorRetries: 0 },
        fallbacks: [{ gpt: ['claude'] }, { other: ['gpt'] }],
        context_window_fallbacks: [{ gpt: ['long'] }],
        content_policy_fallbacks: [{ gpt: ['open'] }],
        default_fallbacks: ['last'],
        max_fallbacks: 2,
        enable_pre_call_checks: true,
        enable_tag_filtering: 'true',
        tag_filtering_match_any: false,
        model_group_alias: { short: 'gpt', secret: { model: 'gpt', hidden: true } },
        mid_stream: 'continue',
      },
    })
    expect(warnings).toEqual([])
    expect(options).toMatchObject({
      retries: 3,
      timeouts: { headers: 5_000, firstToken: 8_000, idle: 15_000 },
      routing: {
        strategy: 'latency-based',
        aliases: { short: 'gpt', secret: { modelName: 'gpt', hidden: true } },
        fallbacks: { gpt: ['claude'], other: ['gpt'] },
        contextWindowFallbacks: { gpt: ['long'] },
        contentPolicyFallbacks: { gpt: ['open'] },
        defaultFallbacks: ['last'],
        maxFallbacks: 2,
        retryPolicy: { timeout: 1, badRequest: 0 },
        retryAfterMs: 500,
        cooldown: {
          durationMs: 20_000,
          allowedFails: { authentication: 5, timeout: 5, rateLimit: 100, internalServer: 5 },
        },
        preCallChecks: true,
        tagFiltering: true,
        tagMatch: 'all',
        midStream: 'continue',
      },
    })
    expect(() => createGateway({ ...options, auth: 'none' })).not.toThrow()
  })

  it('give no routing where they say nothing', () => {
    expect(read({ router_settings: { num_retries: 1 } }).options).not.toHaveProperty('routing')
  })

  it.each([{ disable_cooldowns: true }, { cooldown_time: 0 }])('switch cooldowns off with %j', (router_settings) => {
    expect(read({ router_settings }).options.routing).toEqual({ cooldown: false })
  })

  it('take LiteLLM’s own default of allowed_fails for what it means: not set', () => {
    expect(read({ router_settings: { allowed_fails: 3 } }).options).not.toHaveProperty('routing')
  })

  it('win over litellm_settings', () => {
    const litellm_settings = { fallbacks: [{ gpt: ['a'] }], default_fallbacks: ['b'], allowed_fails: 1 }
    const { routing } = read({ litellm_settings, router_settings: { fallbacks: [{ gpt: ['c'] }] } }).options
    expect(routing).toMatchObject({ fallbacks: { gpt: ['c'] }, defaultFallbacks: ['b'] })
  })

  it.each(['latency-based', 'usage-based', 'cost-based', 'power-of-two'])(
    'may name the strategy %s as the options do',
    (routing_strategy) => {
      expect(read({ router_settings: { routing_strategy } }).options.routing).toEqual({ strategy: routing_strategy })
    },
  )

  it.each([
    [{ routing_strategy: 'fastest' }, 'router_settings.routing_strategy: must be one of simple-shuffle'],
    [{ fallbacks: { gpt: ['a'] } }, 'router_settings.fallbacks: must be a list of maps'],
    [{ mid_stream: 'hope' }, 'router_settings.mid_stream: must be error, restart or continue'],
    [{ cooldown_time: -1 }, 'router_settings.cooldown_time: must be a number of seconds'],
    [{ retry_policy: { TimeoutRetries: 1 } }, 'router_settings.retry_policy: '],
  ])('with %j are refused with their path', (router_settings, problem) => {
    expect(() => read({ router_settings })).toThrow(ConfigError)
    expect(() => read({ router_settings })).toThrow(problem)
  })

  it('name a Redis, whose password is in no option of the gateway', () => {
    const { redis, options } = read({ router_settings: { redis_host: 'h', redis_port: '6380', redis_password: 'pw' } })
    expect(redis).toEqual({ host: 'h', port: 6_380, password: 'pw' })
    expect(JSON.stringify(options)).not.toContain('pw')
  })

  it('are read per deployment too', () => {
    const params = {
      max_parallel_requests: 4,
      cooldown_time: 1.5,
      tags: ['free'],
      region_name: 'eu',
      stream_idle_timeout: 3,
    }
    expect(read({}, params).options.models[0]).toMatchObject({
      maxParallelRequests: 4,
      cooldownMs: 1_500,
      tags: ['free'],
      region: 'eu',
      timeouts: { idle: 3_000 },
    })
  })
})
