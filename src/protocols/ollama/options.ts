import { capabilitiesOf } from '../../catalog/capabilities.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import type { Take } from '../parameter-table.js'

/** OpenAI's sampling parameters by their names among Ollama's options: https://docs.ollama.com/modelfile */
export const samplingTable: Readonly<Record<string, Take>> = {
  max_tokens: 'num_predict',
  max_completion_tokens: 'num_predict',
  temperature: 'temperature',
  top_p: 'top_p',
  seed: 'seed',
  frequency_penalty: 'frequency_penalty',
  presence_penalty: 'presence_penalty',
  stop: (value) => ({ stop: typeof value === 'string' ? [value] : value }),
}

// Options beyond OpenAI's; every other unknown field stays beside `options` (keep_alive, think, template …).
const optionNames: ReadonlySet<string> = new Set([
  'draft_num_predict',
  'low_vram',
  'main_gpu',
  'min_p',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
  'num_batch',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_predict',
  'num_thread',
  'numa',
  'penalize_newline',
  'repeat_last_n',
  'repeat_penalty',
  'tfs_z',
  'top_k',
  'typical_p',
  'use_mlock',
  'use_mmap',
])

/** The body's members for sampling and for everything that the caller wrote in Ollama's own words. */
export function toOptions(members: JsonObject, extra: JsonObject): JsonObject {
  const entries = Object.entries(extra)
  const { options, ...beside } = Object.fromEntries(entries.filter(([name]) => !optionNames.has(name)))
  const named = Object.fromEntries(entries.filter(([name]) => optionNames.has(name)))
  const all = { ...members, ...named, ...(isObject(options) && options) }
  return { ...beside, ...(Object.keys(all).length > 0 && { options: all }) }
}

const levels: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'high',
  max: 'high',
}

/** The member `think`: a level for gpt-oss, which knows no other switch, yes or no for all others. */
export function toThink(request: JsonObject, model: string): JsonObject {
  const effort = stringOf(request['reasoning_effort'])
  const { thinking } = request
  const type = isObject(thinking) ? thinking['type'] : undefined
  if ((effort === undefined || effort === 'default') && type === undefined) return {}
  const off = effort === undefined || effort === 'default' ? type === 'disabled' : effort === 'none'
  if (off) return { think: false }
  const hasLevels = capabilitiesOf('ollama', model).family === 'gpt-oss'
  return { think: hasLevels ? (levels[effort ?? 'medium'] ?? 'medium') : true }
}

/** The member `format`: any JSON, or JSON of a schema. */
export function toFormat(format: unknown): JsonObject {
  if (!isObject(format)) return {}
  if (format['type'] === 'json_object') return { format: 'json' }
  if (format['type'] !== 'json_schema') return {}
  const named = format['json_schema']
  const schema = isObject(named) ? named['schema'] : undefined
  return { format: isObject(schema) ? schema : 'json' }
}
