import type { GuardrailOptions, MatchAction } from '../guardrails/options.js'
import { isObject, type JsonObject, stringOf } from '../wire/json.js'
import type { ConfigModel } from './models.js'
import type { Findings } from './sift.js'

type Common = Pick<GuardrailOptions, 'name' | 'mode' | 'defaultOn' | 'fail'>
type Mode = 'pre_call' | 'during_call' | 'post_call' | 'logging_only'

/** One guardrail of the file. */
interface Entry {
  readonly common: Common
  readonly params: JsonObject
  /** Of `litellm_params` in the file. */
  readonly path: string
  readonly findings: Findings
  /** Takes a model that the guardrail asks and the file does not list. */
  readonly need: (model: ConfigModel) => void
  readonly models: readonly ConfigModel[]
}

/** The guardrails of a file, and models that only they ask. */
export interface GuardrailConfig {
  readonly guardrails: readonly GuardrailOptions[]
  readonly models: readonly ConfigModel[]
}

/**
 * What the `guardrails` of a LiteLLM file say in our words; environment variables are already in place. Integrations
 * and entities that Sluice does not have become warnings: read them, as what they were to find is then not found.
 */
export function toGuardrails(section: unknown, models: readonly ConfigModel[], findings: Findings): GuardrailConfig {
  if (section === undefined || section === null) return { guardrails: [], models: [] }
  if (!Array.isArray(section)) {
    findings.problems.push('guardrails: must be a list')
    return { guardrails: [], models: [] }
  }
  const needed = new Map<string, ConfigModel>()
  const need = (model: ConfigModel): void => void needed.set(model.modelName, model)
  const guardrails = section.flatMap((entry: unknown, index) =>
    toOptions(entry, `guardrails[${index}]`, { findings, need, models }),
  )
  return { guardrails, models: [...needed.values()] }
}

function toOptions(
  entry: unknown,
  path: string,
  shared: Pick<Entry, 'findings' | 'need' | 'models'>,
): readonly GuardrailOptions[] {
  const { findings } = shared
  const name = isObject(entry) ? stringOf(entry['guardrail_name']) : undefined
  const params = isObject(entry) ? entry['litellm_params'] : undefined
  if (name === undefined || !isObject(params)) {
    findings.problems.push(`${path}: needs guardrail_name and litellm_params`)
    return []
  }
  const integration = stringOf(params['guardrail']) ?? ''
  const read = Object.hasOwn(integrations, integration) ? integrations[integration] : undefined
  if (!read) {
    findings.warnings.push(`${path}.litellm_params.guardrail: ${integration} is not supported; this guardrail is OFF`)
    return []
  }
  const modes = toModes(params['mode'], `${path}.litellm_params.mode`, findings)
  if (modes.length === 0) return []
  const common: Common = {
    name: name.replaceAll(/[^\w.-]/g, '-').slice(0, 100),
    mode: modes,
    defaultOn: isTrue(params['default_on']),
    fail: params['unreachable_fallback'] === 'fail_open' ? 'open' : 'closed',
  }
  return read({ common, params, path: `${path}.litellm_params`, ...shared })
}

/** A variable gives text, which Python writes `True`. */
function isTrue(value: unknown): boolean {
  return value === true || stringOf(value)?.toLowerCase() === 'true'
}

function toModes(value: unknown, path: string, { warnings }: Findings): readonly Mode[] {
  const given: readonly unknown[] = Array.isArray(value) ? value : [value ?? 'pre_call']
  return given.flatMap((mode) => {
    if (mode === 'pre_call' || mode === 'during_call' || mode === 'post_call' || mode === 'logging_only') return [mode]
    warnings.push(`${path}: only pre_call, during_call, post_call and logging_only are supported; ignored`)
    return []
  })
}

const integrations: Readonly<Record<string, (entry: Entry) => readonly GuardrailOptions[]>> = {
  'hide-secrets': ({ common }) => [{ ...common, type: 'secrets', unmask: false }],
  presidio: readPresidio,
  litellm_content_filter: readContentFilter,
  openai_moderation: readModeration,
  generic_guardrail_api: readGenericApi,
}

/** A model of the file by that name, else OpenAI's with the key that the guardrail names. */
function readModeration({ common, params, models, need }: Entry): readonly GuardrailOptions[] {
  const model = stringOf(params['model']) ?? 'omni-moderation-latest'
  if (!models.some(({ modelName }) => modelName === model)) {
    const [apiKey, baseUrl] = [stringOf(params['api_key']), stringOf(params['api_base'])]
    need({ modelName: model, model: `openai/${model}`, ...(apiKey && { apiKey }), ...(baseUrl && { baseUrl }) })
  }
  return [{ ...common, type: 'moderation', model }]
}

// Presidio's names (https://microsoft.github.io/presidio/supported_entities/).
const presidioEntities: Readonly<Record<string, string>> = {
  CREDIT_CARD: 'card',
  EMAIL_ADDRESS: 'email',
  IBAN_CODE: 'iban',
  IP_ADDRESS: 'ip',
  PHONE_NUMBER: 'phone',
  US_SSN: 'ssn',
}

/** Our own patterns in place of Presidio's service, which also finds names and places. */
function readPresidio({ common, params, path, findings }: Entry): readonly GuardrailOptions[] {
  const { pii_entities_config: entities, output_parse_pii: unmask } = params
  findings.warnings.push(
    `${path}: patterns of this process take the place of Presidio's services, which are not called`,
  )
  const shared = { ...common, type: 'pii', unmask: isTrue(unmask) } as const
  if (!isObject(entities)) return [{ ...shared, entities: Object.values(presidioEntities) }]
  const known = Object.entries(entities).flatMap(([name, action]) => {
    const entity = Object.hasOwn(presidioEntities, name) ? presidioEntities[name] : undefined
    if (entity !== undefined) return [[entity, toAction(action)] as const]
    findings.warnings.push(`${path}.pii_entities_config.${name}: not supported; it is NOT found`)
    return []
  })
  if (known.length === 0) return []
  return [{ ...shared, entities: known.map(([entity]) => entity), actions: Object.fromEntries(known) }]
}

function toAction(action: unknown): MatchAction {
  return action === 'BLOCK' ? 'refuse' : 'mask'
}

const prebuiltPatterns: Readonly<Record<string, string>> = {
  amex: 'card',
  aws_access_key: 'secret',
  credit_card: 'card',
  discover: 'card',
  email: 'email',
  github_token: 'secret',
  iban: 'iban',
  ipv4: 'ip',
  ipv6: 'ip',
  mastercard: 'card',
  phone: 'phone',
  slack_token: 'secret',
  us_phone: 'phone',
  us_ssn: 'ssn',
  visa: 'card',
}

/** One file entry is up to four guardrails of the same name. */
function readContentFilter(entry: Entry): readonly GuardrailOptions[] {
  const { common, params, path, findings } = entry
  for (const key of ['categories', 'blocked_words_file']) {
    if (params[key] !== undefined) findings.warnings.push(`${path}.${key}: not supported; it has NO effect`)
  }
  const listed = objectsOf(params['patterns'])
  const prebuilt = readPrebuilt(entry, listed)
  const patterns = listed.flatMap(({ pattern, name, action }, index) => {
    if (typeof pattern !== 'string') return []
    const label = (stringOf(name) ?? `pattern_${index}`)
      .toLowerCase()
      .replaceAll(/[^a-z\d_]/g, '_')
      .slice(0, 60)
    return [{ name: label, pattern, action: toAction(action) }]
  })
  const words = objectsOf(params['blocked_words'])
  const wordGuardrails = (['refuse', 'mask'] as const).flatMap((action): GuardrailOptions[] => {
    const chosen = words
      .filter((word) => toAction(word['action']) === action)
      .flatMap(({ keyword }) => stringOf(keyword) ?? [])
    return chosen.length === 0 ? [] : [{ ...common, type: 'words', words: chosen, action }]
  })
  return [
    ...prebuilt,
    ...(patterns.length > 0 ? [{ ...common, type: 'regex' as const, patterns }] : []),
    ...wordGuardrails,
  ]
}

function readPrebuilt({ common, path, findings }: Entry, listed: readonly JsonObject[]): readonly GuardrailOptions[] {
  const found = listed.flatMap(({ pattern_type: type, pattern_name: name, action }) => {
    if (type !== 'prebuilt' || typeof name !== 'string') return []
    const entity = Object.hasOwn(prebuiltPatterns, name) ? prebuiltPatterns[name] : undefined
    if (entity !== undefined) return [[entity, toAction(action)] as const]
    findings.warnings.push(`${path}.patterns: ${name} is not supported; it is NOT found`)
    return []
  })
  if (found.length === 0) return []
  const actions = Object.fromEntries(found)
  return [{ ...common, type: 'pii', entities: Object.keys(actions), actions, unmask: false }]
}

function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

const genericPath = '/beta/litellm_basic_guardrail_api'

function readGenericApi({ common, params, path, findings }: Entry): readonly GuardrailOptions[] {
  const base = stringOf(params['api_base'])?.replace(/\/+$/, '')
  if (base === undefined) {
    findings.problems.push(`${path}.api_base: is required`)
    return []
  }
  const { headers, additional_provider_specific_params: extra } = params
  const apiKey = stringOf(params['api_key'])
  return [
    {
      ...common,
      type: 'http',
      url: base.endsWith(genericPath) ? base : `${base}${genericPath}`,
      ...(apiKey !== undefined && { apiKey }),
      ...(isObject(headers) && { headers: textsOf(headers) }),
      ...(isObject(extra) && { params: extra }),
    },
  ]
}

function textsOf(values: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(values).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}
