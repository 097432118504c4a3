import { describe, expect, it } from 'vitest'
import { toGuardrails } from '../../src/config/guardrails.js'
import { guardrailOptions } from '../../src/guardrails/index.js'

function read(section: unknown) {
  const findings = { problems: [] as string[], warnings: [] as string[] }
  const { guardrails: options, models } = toGuardrails(section, [{ modelName: 'mine', model: 'mistral/m' }], findings)
  return { options, models, ...findings }
}

const entry = (params: object, name = 'g') => [
  { guardrail_name: name, litellm_params: { mode: 'pre_call', ...params } },
]
const common = { name: 'g', mode: ['pre_call'], defaultOn: false, fail: 'closed' }

describe('guardrails of a LiteLLM file', () => {
  it('bring the moderation model that they ask, unless the file lists it', () => {
    const own = { guardrail: 'openai_moderation', model: 'text-moderation-latest', api_key: 'sk-1' }
    expect(read(entry(own))).toMatchObject({
      options: [{ type: 'moderation', model: 'text-moderation-latest' }],
      models: [{ modelName: 'text-moderation-latest', model: 'openai/text-moderation-latest', apiKey: 'sk-1' }],
    })
    expect(read(entry({ ...own, model: 'mine' }))).toMatchObject({ options: [{ model: 'mine' }], models: [] })
  })

  it.each<[string, object, readonly object[]]>([
    [
      'hide-secrets',
      { guardrail: 'hide-secrets', default_on: true },
      [{ ...common, defaultOn: true, type: 'secrets', unmask: false }],
    ],
    [
      'openai_moderation',
      { guardrail: 'openai_moderation', mode: ['during_call', 'post_call'] },
      [{ ...common, mode: ['during_call', 'post_call'], type: 'moderation', model: 'omni-moderation-latest' }],
    ],
    [
      'presidio',
      {
        guardrail: 'presidio',
        pii_entities_config: { EMAIL_ADDRESS: 'MASK', CREDIT_CARD: 'BLOCK' },
        output_parse_pii: true,
      },
      [
        {
          ...common,
          type: 'pii',
          unmask: true,
          entities: ['email', 'card'],
          actions: { email: 'mask', card: 'refuse' },
        },
      ],
    ],
    [
      'generic_guardrail_api',
      {
        guardrail: 'generic_guardrail_api',
        api_base: 'https://g.test/',
        api_key: 'k',
        headers: { a: 'b' },
        additional_provider_specific_params: { x: 1 },
        unreachable_fallback: 'fail_open',
      },
      [
        {
          ...common,
          fail: 'open',
          type: 'http',
          url: 'https://g.test/beta/litellm_basic_guardrail_api',
          apiKey: 'k',
          headers: { a: 'b' },
          params: { x: 1 },
        },
      ],
    ],
    [
      'litellm_content_filter',
      {
        guardrail: 'litellm_content_filter',
        patterns: [
          { pattern_type: 'prebuilt', pattern_name: 'us_ssn', action: 'BLOCK' },
          { pattern_type: 'regex', name: 'Ticket-ID', pattern: 'T-[0-9]{4}', action: 'MASK' },
        ],
        blocked_words: [
          { keyword: 'merger', action: 'BLOCK' },
          { keyword: 'darn', action: 'MASK' },
        ],
      },
      [
        { ...common, type: 'pii', entities: ['ssn'], actions: { ssn: 'refuse' }, unmask: false },
        { ...common, type: 'regex', patterns: [{ name: 'ticket_id', pattern: 'T-[0-9]{4}', action: 'mask' }] },
        { ...common, type: 'words', words: ['merger'], action: 'refuse' },
        { ...common, type: 'words', words: ['darn'], action: 'mask' },
      ],
    ],
  ])('%s', (_, params, expected) => {
    const { options, problems } = read(entry(params))
    expect(options).toEqual(expected)
    expect(problems).toEqual([])
    expect(guardrailOptions.safeParse(options).error).toBeUndefined()
  })

  it('says loudly what is not looked for', () => {
    expect(read(entry({ guardrail: 'lakera' }))).toMatchObject({
      options: [],
      warnings: ['guardrails[0].litellm_params.guardrail: lakera is not supported; this guardrail is OFF'],
    })
    expect(read(entry({ guardrail: 'hide-secrets', mode: 'pre_mcp_call' }))).toMatchObject({
      options: [],
      warnings: [expect.stringContaining('mode')],
    })
    const { warnings } = read(
      entry({ guardrail: 'presidio', pii_entities_config: { PERSON: 'MASK', PHONE_NUMBER: 'MASK' } }),
    )
    expect(warnings.join('\n')).toContain('PERSON: not supported; it is NOT found')
    expect(
      read(
        entry({
          guardrail: 'litellm_content_filter',
          categories: [{}],
          patterns: [{ pattern_type: 'prebuilt', pattern_name: 'passport' }],
        }),
      ).warnings,
    ).toHaveLength(2)
  })

  it('reports what makes no sense with its path', () => {
    expect(read({}).problems).toEqual(['guardrails: must be a list'])
    expect(read([{ guardrail_name: 'x' }]).problems).toEqual(['guardrails[0]: needs guardrail_name and litellm_params'])
    expect(read(entry({ guardrail: 'generic_guardrail_api' })).problems).toEqual([
      'guardrails[0].litellm_params.api_base: is required',
    ])
    expect(read(undefined)).toEqual({ options: [], models: [], problems: [], warnings: [] })
  })
})
