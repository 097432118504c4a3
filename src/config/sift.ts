import { isObject, type JsonObject } from '../wire/json.js'
import {
  cacheParamsKeys,
  customAuthSettingsKeys,
  deploymentKeys,
  deploymentPatterns,
  entryKeys,
  fileKeys,
  generalSettingsKeys,
  litellmSettingsKeys,
  modelInfoKeys,
  routerSettingsKeys,
  s3CallbackParamsKeys,
  type SectionKeys,
  strategyArgsKeys,
} from './known-keys.js'
import { isPriceKey } from './prices.js'
import { settingNames } from './provider-settings.js'
import { suggest } from './suggest.js'

/** Where findings about a file are gathered; each is one line `path: what`. */
export interface Findings {
  readonly problems: string[]
  readonly warnings: string[]
}

/** Removes from a file what has no effect here: warns about what LiteLLM knows, and reports as a problem what nobody knows. */
export function siftConfig(config: JsonObject, findings: Findings): JsonObject {
  const file = siftSection(config, '', fileKeys, findings)
  return mapValues(file, (value, key) => {
    if (key === 'model_list')
      return Array.isArray(value) ? value.map((entry, i) => siftEntry(entry, i, findings)) : value
    return siftNamed(value, key, findings)
  })
}

/** Sifts what has keys of its own, and what within it has some. */
function siftNamed(value: unknown, path: string, findings: Findings): unknown {
  const keys = sections[path]
  if (!keys || !isObject(value)) return value
  return mapValues(siftSection(value, path, keys, findings), (inner, key) =>
    siftNamed(inner, `${path}.${key}`, findings),
  )
}

const sections: Readonly<Record<string, SectionKeys | undefined>> = {
  litellm_settings: litellmSettingsKeys,
  general_settings: generalSettingsKeys,
  router_settings: routerSettingsKeys,
  'litellm_settings.cache_params': cacheParamsKeys,
  'litellm_settings.s3_callback_params': s3CallbackParamsKeys,
  'general_settings.custom_auth_settings': customAuthSettingsKeys,
  'router_settings.routing_strategy_args': strategyArgsKeys,
}

function siftEntry(entry: unknown, index: number, findings: Findings): unknown {
  if (!isObject(entry)) return entry
  const path = `model_list[${index}]`
  return mapValues(siftSection(entry, path, entryKeys, findings), (value, key) => {
    if (!isObject(value)) return value
    if (key === 'litellm_params') return siftDeployment(value, `${path}.litellm_params`, findings)
    if (key === 'model_info') return siftInfo(value, `${path}.model_info`, findings)
    return value
  })
}

function siftSection(section: JsonObject, path: string, keys: SectionKeys, findings: Findings): JsonObject {
  return keep(section, (key) => {
    if (keys.supported.includes(key)) return true
    const place = path === '' ? key : `${path}.${key}`
    if (keys.known.includes(key)) findings.warnings.push(ignored(place))
    else findings.problems.push(`${place}: unknown key${didYouMean(key, [...keys.supported, ...keys.known])}`)
    return false
  })
}

function siftDeployment(params: JsonObject, path: string, findings: Findings): JsonObject {
  return keep(params, (key) => {
    if (deploymentKeys.supported.includes(key) || Object.hasOwn(settingNames, key) || isPriceKey(key)) return true
    if (deploymentKeys.known.includes(key) || deploymentPatterns.some((pattern) => pattern.test(key))) {
      findings.warnings.push(retriesHint[key] ? `${path}.${key}: ${retriesHint[key]}` : ignored(`${path}.${key}`))
      return false
    }
    // A misspelt credential must not travel to a provider as a request parameter.
    const meant = suggest(key, misspellable)
    if (meant === undefined) return true
    findings.warnings.push(
      `${path}.${key}: left out, because it looks like a misspelt ${meant}; to send it as a parameter, put it in extra_body`,
    )
    return false
  })
}

// Short ones are near to real parameters: height is not weight.
const misspellable = deploymentKeys.supported.filter((key) => key.length > 6)

const retriesHint: Readonly<Record<string, string | undefined>> = {
  num_retries: 'not supported per deployment yet and ignored; litellm_settings.num_retries applies to all',
  max_retries: 'not supported per deployment yet and ignored; litellm_settings.num_retries applies to all',
}

function siftInfo(info: JsonObject, path: string, findings: Findings): JsonObject {
  for (const key of Object.keys(info)) {
    if (modelInfoKeys.known.includes(key)) {
      findings.warnings.push(`${path}.${key}: kept as information, but it has no effect yet`)
    }
  }
  return keep(info, () => true)
}

function ignored(path: string): string {
  return `${path}: known to LiteLLM but not supported yet; ignored`
}

function didYouMean(key: string, candidates: readonly string[]): string {
  const meant = suggest(key, candidates)
  return meant === undefined ? '' : `; did you mean ${meant}?`
}

function keep(object: JsonObject, wanted: (key: string) => boolean): JsonObject {
  // YAML gives null for a key without a value, which means: not set.
  return Object.fromEntries(Object.entries(object).filter(([key, value]) => wanted(key) && value !== null))
}

function mapValues(object: JsonObject, change: (value: unknown, key: string) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value, key)]))
}
