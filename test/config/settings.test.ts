import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/config/config-error.js'
import { fromLiteLLMConfig } from '../../src/config/index.js'
import { createGateway } from '../../src/index.js'

const secret = 'pw-very-secret'

function read(sections: object, entry: { params?: object; info?: object } = {}, env: Record<string, string> = {}) {
  const litellm_params = { model: 'openai/gpt-5-mini', api_key: 'k', ...entry.params }
  const model = { model_name: 'gpt', litellm_params, ...(entry.info && { model_info: entry.info }) }
  return fromLiteLLMConfig({ model_list: [model], ...sections }, { env })
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

describe('prices of a deployment', () => {
  it('are read from litellm_params and model_info, the former win, and none is sent as a parameter', () => {
    const params = { input_cost_per_token: '1e-6', input_cost_per_token_above_128k_tokens: 0.000_002, top_k: 1 }
    const info = { input_cost_per_token: 9, output_cost_per_token: 0.000_004, cache_read_input_token_cost: 1e-7 }
    const { options, warnings } = read({}, { params, info })
    expect(warnings).toEqual([])
    expect(options.models[0]).toMatchObject({
      prices: {
        input: '1',
        output: '4',
        cacheRead: '0.1',
        tiers: [{ abovePromptTokens: 128_000, input: '2' }],
      },
      params: { top_k: 1 },
    })
    expect(options.models[0]?.params).toEqual({ top_k: 1 })
    expect(() => createGateway({ ...options, auth: 'none' })).not.toThrow()
  })

  it('come from the environment too', () => {
    const { options } = read({}, { params: { input_cost_per_second: 'os.environ/PRICE' } }, { PRICE: '0.0002' })
    expect(options.models[0]?.prices).toMatchObject({ perSecond: '0.0002' })
  })

  it('are left to what is published where the file names none', () => {
    expect(read({}).options.models[0]).not.toHaveProperty('prices')
  })

  it('that nobody understands are warned about where they stand, and never sent', () => {
    const { options, warnings } = read(
      {},
      { params: { input_cost_per_parsec: 1, output_cost_per_token: 'much' }, info: { input_cost_per_mile: 2 } },
    )
    expect(new Set(warnings)).toEqual(
      new Set([
        'model_list[0].litellm_params.input_cost_per_parsec: not understood as a price; ignored',
        'model_list[0].litellm_params.output_cost_per_token: not understood as a price; ignored',
        'model_list[0].model_info.input_cost_per_mile: not understood as a price; ignored',
      ]),
    )
    expect(options.models[0]).not.toHaveProperty('prices')
    expect(options.models[0]).not.toHaveProperty('params')
  })

  it('hold for every organization of a list', () => {
    const { options } = read({}, { params: { organization: ['a', 'b'], input_cost_per_token: 1e-6 } })
    expect(options.models.map(({ prices }) => prices?.input)).toEqual(['1', '1'])
  })
})

describe('the budget of everybody', () => {
  it('is read from litellm_settings', () => {
    const { options, warnings } = read({ litellm_settings: { max_budget: '100.5', budget_duration: '30d' } })
    expect(warnings).toEqual([])
    expect(options.spend).toEqual({ everybody: { budget: { maxBudget: 100.5, budgetDuration: '30d' } } })
    expect(() => createGateway({ ...options, auth: 'none' })).not.toThrow()
  })

  it('is none without max_budget', () => {
    expect(read({ litellm_settings: { budget_duration: '1d' } }).options).not.toHaveProperty('spend')
  })

  it.each([
    [{ max_budget: -1 }, 'litellm_settings.max_budget: must be a number of dollars, 0 or more'],
    [{ max_budget: 1, budget_duration: 'monthly' }, 'litellm_settings.budget_duration: must be a number and s, m, h'],
    [{ max_budgt: 1 }, 'litellm_settings.max_budgt: unknown key; did you mean max_budget?'],
  ])('with %j is refused', (litellm_settings, problem) => {
    expect(problemsOf({ litellm_settings })).toEqual([expect.stringContaining(problem)])
  })
})

describe('cache and cache_params', () => {
  const cached = (cache_params?: object, rest: object = {}, env: Record<string, string> = {}) =>
    read({ litellm_settings: { cache: true, ...(cache_params && { cache_params }) }, ...rest }, {}, env)
  const lasting = (seconds: number) => ({
    ttlMs: seconds * 1_000,
    operations: ['chat', 'completions', 'embeddings'],
  })

  it('name a Redis, which is that of everything, and how answers are kept', () => {
    const { options, warnings, ...rest } = cached({
      type: 'redis',
      host: 'h',
      port: '6380',
      password: secret,
      ssl: true,
      namespace: 'shop',
      ttl: 30,
      mode: 'default_off',
      supported_call_types: ['acompletion', 'completion', 'aembedding', 'aimage_generation'],
    })
    expect(warnings).toEqual([])
    expect(options.cache).toEqual({
      ttlMs: 30_000,
      operations: ['chat', 'embeddings', 'images'],
      mode: 'default_off',
      namespace: 'shop',
    })
    expect(rest).toEqual({ redis: { host: 'h', port: 6_380, password: secret, tls: true } })
    expect(JSON.stringify(options)).not.toContain(secret)
    expect(() => createGateway({ ...options, auth: 'none' })).not.toThrow()
  })

  it('have LiteLLM’s defaults: a minute in Redis, ten in memory, no images', () => {
    expect(cached({ type: 'redis', url: 'redis://h' })).toMatchObject({ options: { cache: lasting(60) } })
    const local = cached({ type: 'local' })
    expect(local).toMatchObject({ options: { cache: lasting(600) }, cacheStore: 'memory' })
    expect(local).not.toHaveProperty('redis')
  })

  it('take no type for Redis where one is named, also in the environment, and for memory elsewhere', () => {
    expect(cached()).toMatchObject({ cacheStore: 'memory' })
    expect(cached(undefined, {}, { REDIS_URL: 'redis://e' })).toMatchObject({ redis: { url: 'redis://e' } })
    const env = { REDIS_HOST: 'e', REDIS_PORT: '7', REDIS_PASSWORD: secret }
    expect(cached({ type: 'redis' }, {}, env).redis).toEqual({ host: 'e', port: 7, password: secret })
  })

  it('leave the Redis of the router to the router', () => {
    const router_settings = { redis_url: 'redis://r' }
    expect(cached({ type: 'redis' }, { router_settings })).toMatchObject({ redis: { url: 'redis://r' } })
    expect(cached({ type: 'redis' }, { router_settings })).not.toHaveProperty('cacheStore')
    const apart = cached({ type: 'redis', host: 'c' }, { router_settings })
    expect(apart).toMatchObject({ redis: { url: 'redis://r' }, cacheStore: { host: 'c' } })
    const local = cached({ type: 'local' }, { router_settings })
    expect(local).toMatchObject({ redis: { url: 'redis://r' }, cacheStore: 'memory' })
  })

  it('do nothing where cache is off, and read no variable', () => {
    const litellm_settings = { cache: false, cache_params: { type: 'redis', host: 'h' } }
    const result = read({ litellm_settings }, {}, { REDIS_URL: 'redis://e' })
    expect(result).not.toHaveProperty('redis')
    expect(result.options).not.toHaveProperty('cache')
  })

  it('are told what is not cached here', () => {
    const calls = cached({ type: 'local', supported_call_types: ['atranscription'] })
    expect(calls.options.cache).toMatchObject({ operations: [] })
    expect(calls.warnings).toEqual([
      'litellm_settings.cache_params.supported_call_types: atranscription is not cached here; ignored',
    ])
    const semantic = cached({ type: 'redis-semantic', similarity_threshold: 0.8, host: 'h' })
    expect(semantic.options).not.toHaveProperty('cache')
    expect(semantic.warnings).toEqual([
      'litellm_settings.cache_params.similarity_threshold: known to LiteLLM but not supported yet; ignored',
      'litellm_settings.cache_params.type: only local and redis are supported yet; nothing is cached',
    ])
  })

  it.each([
    [{ type: 'redis' }, 'litellm_settings.cache_params: type redis needs host or url'],
    [{ type: 'memcached' }, 'litellm_settings.cache_params.type: must be one of local, redis'],
    [{ tpye: 'redis' }, 'litellm_settings.cache_params.tpye: unknown key; did you mean type?'],
    [{ type: 'local', ttl: 0 }, 'litellm_settings.cache_params.ttl: must be a number of seconds above 0'],
  ])('with %j are refused', (cache_params, problem) => {
    const litellm_settings = { cache: true, cache_params }
    expect(problemsOf({ litellm_settings })).toEqual([expect.stringContaining(problem)])
  })
})

describe('general_settings', () => {
  it('says how long rows of the ledger are kept', () => {
    const spend = (period: unknown, more: object = {}) =>
      read({ general_settings: { maximum_spend_logs_retention_period: period }, ...more }).options.spend
    expect(spend('36h')).toEqual({ retentionDays: 1.5 })
    const budget = { budget: { maxBudget: 5 } }
    expect(spend('30d', { litellm_settings: { max_budget: 5 } })).toEqual({ everybody: budget, retentionDays: 30 })
    const problem = 'general_settings.maximum_spend_logs_retention_period: must be a number and s, m, h'
    const problems = problemsOf({ general_settings: { maximum_spend_logs_retention_period: 'a while' } })
    expect(problems).toEqual([expect.stringContaining(problem)])
  })

  const database = (general_settings: object, env: Record<string, string> = {}) =>
    read({ general_settings }, {}, env).database

  it.each([
    ['postgresql://u:p@h:5432/d?sslmode=require', 'postgres', 'postgresql://u:p@h:5432/d?sslmode=require'],
    ['postgres://h/d', 'postgres', 'postgres://h/d'],
    ['mysql://u@h/d', 'mysql', 'mysql://u@h/d'],
    ['mariadb://u@h/d', 'mysql', 'mysql://u@h/d'],
    ['sqlite:data.db', 'sqlite', 'data.db'],
    ['sqlite:///var/data.db', 'sqlite', '/var/data.db'],
    ['sqlite::memory:', 'sqlite', ':memory:'],
    ['file:./dev.db?connection_limit=1', 'sqlite', './dev.db'],
  ])('know the database of %s', (database_url, kind, url) => {
    expect(database({ database_url })).toEqual({ kind, url })
  })

  it('keep the address of the database out of the options', () => {
    const general_settings = {
      database_url: 'os.environ/DATABASE_URL',
      database_connection_pool_limit: 7,
      database_connection_timeout: 2.5,
    }
    const url = `postgres://u:${secret}@h/d`
    const { options, warnings, database: found } = read({ general_settings }, {}, { DATABASE_URL: url })
    expect(found).toEqual({ kind: 'postgres', url, poolSize: 7, connectTimeoutMs: 2_500 })
    expect(warnings).toEqual([])
    expect(JSON.stringify({ ...options, env: {} })).not.toContain(secret)
  })

  it.each(['mongodb://h/d', `postgres//${secret}`, 'data.db', 'sqlite:'])(
    'refuse %s without showing it',
    (database_url) => {
      const problems = problemsOf({ general_settings: { database_url } })
      expect(problems).toEqual([expect.stringMatching(/^general_settings\.database_url: must be an address such as/)])
      expect(problems.join()).not.toContain(secret)
    },
  )

  it('name a login of the host’s own', () => {
    const reference = 'custom_auth.user_api_key_auth'
    expect(read({ general_settings: { custom_auth: reference } }).customAuth).toEqual({ reference, withKeys: false })
    const general_settings = { custom_auth: reference, custom_auth_settings: { mode: 'auto' } }
    expect(read({ general_settings }).customAuth).toEqual({ reference, withKeys: true })
    expect(problemsOf({ general_settings: { custom_auth_settings: { mod: 'auto' } } })).toHaveLength(1)
  })

  it('switch health checks on, every five minutes unless they say otherwise', () => {
    const checks = (general_settings: object) => read({ general_settings }).options.healthChecks
    expect(checks({ background_health_checks: true })).toEqual({ intervalMs: 300_000 })
    expect(checks({ background_health_checks: 'true', health_check_interval: 20 })).toEqual({ intervalMs: 20_000 })
    expect(checks({ health_check_interval: 20 })).toBeUndefined()
    expect(problemsOf({ general_settings: { health_check_interval: 0 } })).toHaveLength(1)
  })
})

describe('routing_strategy_args', () => {
  it('set how much slower counts as equal, and warn about the rest', () => {
    const routing_strategy_args = { lowest_latency_buffer: 0.2, ttl: 10 }
    const router_settings = { routing_strategy: 'latency-based-routing', routing_strategy_args }
    const { options, warnings } = read({ router_settings })
    expect(options.routing).toEqual({ strategy: 'latency-based', lowestLatencyBuffer: 0.2 })
    expect(warnings).toEqual([
      'router_settings.routing_strategy_args.ttl: known to LiteLLM but not supported yet; ignored',
    ])
    expect(problemsOf({ router_settings: { routing_strategy_args: { lowest_latncy_buffer: 1 } } })).toEqual([
      'router_settings.routing_strategy_args.lowest_latncy_buffer: unknown key; did you mean lowest_latency_buffer?',
    ])
  })
})
