import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'

/** OpenAI's mark of a source under a range of the answer's text. */
export interface Annotation extends JsonObject {
  readonly type: 'url_citation'
}

/** What a text block cites, in OpenAI's form and in Claude's. */
export interface Citations {
  readonly annotations: readonly Annotation[]
  /** Every citation as it came, with the text that it supports. */
  readonly citations: readonly JsonObject[]
}

function toAnnotation(citation: JsonObject, start: number, end: number): readonly Annotation[] {
  const url = stringOf(citation['url'])
  if (url === undefined) return []
  const title = stringOf(citation['title']) ?? url
  return [{ type: 'url_citation', url_citation: { start_index: start, end_index: end, url, title } }]
}

/**
 * Reads the citations of a text block.
 * @param start where the block's text begins in the answer's whole text, in UTF-16 units
 */
export function readCitations(citations: readonly unknown[], text: string, start: number): Citations {
  const known = citations.filter(isObject)
  return {
    annotations: known.flatMap((citation) => toAnnotation(citation, start, start + text.length)),
    citations: known.map((citation) => ({ ...citation, supported_text: text })),
  }
}

const fieldByType: Readonly<Record<string, string>> = {
  server_tool_use: 'server_tool_calls',
  mcp_tool_use: 'server_tool_calls',
  web_search_tool_result: 'web_search_results',
  compaction: 'compaction_blocks',
}

/**
 * Where a block without a place in OpenAI's message goes within `provider_specific_fields`. Tools that Claude's servers
 * ran are no `tool_calls`: a client would try to run them.
 */
export function specificField(type: string): string {
  const field = Object.hasOwn(fieldByType, type) ? fieldByType[type] : undefined
  return field ?? (type.endsWith('_tool_result') ? 'tool_results' : 'other_blocks')
}

/** What is said about the end of an answer beyond its finish reason. */
export function endFields(ending: JsonObject): JsonObject {
  const kept = ['stop_sequence', 'stop_details', 'container', 'context_management']
  return Object.fromEntries(
    kept.flatMap((name) => {
      const value = ending[name]
      return value === null || value === undefined ? [] : [[name, value]]
    }),
  )
}

// `standard` is OpenAI's `default`; the rest has OpenAI's names or none.
const serviceTiers: Readonly<Record<string, string>> = { standard: 'default', priority: 'priority' }

/** The service tier that answered, in OpenAI's words. */
export function serviceTier(usage: unknown): JsonObject {
  const native = isObject(usage) ? (stringOf(usage['service_tier']) ?? '') : ''
  return Object.hasOwn(serviceTiers, native) ? { service_tier: serviceTiers[native] } : {}
}
