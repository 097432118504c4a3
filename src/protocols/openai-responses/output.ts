import type { ToolCall } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'

/** A source under a range of the answer's text, as chat writes it. */
export interface Annotation extends JsonObject {
  readonly type: 'url_citation'
}

/** An image that the model made, as other dialects of ours give it too. */
export interface Image extends JsonObject {
  readonly type: 'image_url'
}

/** The members of an object that are objects; an empty list for anything else. */
export function objectsOf(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

/** The citation of a web page; files and other sources have no place in chat. `offset` is where the part's text begins. */
export function toAnnotation(annotation: JsonObject, offset: number): Annotation | undefined {
  const url = stringOf(annotation['url'])
  if (annotation['type'] !== 'url_citation' || url === undefined) return undefined
  return {
    type: 'url_citation',
    url_citation: {
      start_index: offset + (numberOf(annotation['start_index']) ?? 0),
      end_index: offset + (numberOf(annotation['end_index']) ?? 0),
      url,
      title: stringOf(annotation['title']) ?? url,
    },
  }
}

/** The call of a function or custom tool; undefined for items that are none. `fallback` is the id where there is none. */
export function toToolCall(item: JsonObject, fallback: string): ToolCall | undefined {
  const id = stringOf(item['call_id']) ?? stringOf(item['id']) ?? fallback
  const name = stringOf(item['name']) ?? ''
  if (item['type'] === 'function_call')
    return { id, type: 'function', function: { name, arguments: argumentsOf(item) } }
  if (item['type'] !== 'custom_tool_call') return undefined
  return { id, type: 'custom', custom: { name, input: stringOf(item['input']) ?? '' } }
}

/** The arguments of a function call as JSON text, never empty. */
export function argumentsOf(item: JsonObject): string {
  const given = item['arguments']
  if (isObject(given)) return JSON.stringify(given)
  return stringOf(given) ?? '{}'
}

/** The picture of a finished image call. */
export function toImage(item: JsonObject, index: number): Image | undefined {
  const data = stringOf(item['result'])
  if (item['type'] !== 'image_generation_call' || data === undefined) return undefined
  const format = stringOf(item['output_format']) ?? 'png'
  return { type: 'image_url', image_url: { url: `data:image/${format};base64,${data}` }, index }
}

/** True for text that comments on the work and is not yet the answer. */
export function isCommentary(item: JsonObject): boolean {
  return item['phase'] === 'commentary'
}

/** The text of a part of a message; undefined for refusals. */
export function textOfPart(part: JsonObject): string | undefined {
  return part['type'] === 'output_text' || part['type'] === 'text' ? (stringOf(part['text']) ?? '') : undefined
}

/**
 * What tools on the provider's side did, for `provider_specific_fields`: a client that ran them would be wrong. Web
 * pages found by a search are also listed by their addresses.
 */
export function hostedFields(items: readonly JsonObject[]): JsonObject {
  const results = items
    .filter((item) => item['type'] === 'search_results')
    .flatMap((item) => objectsOf(item['results']))
  const citations = results.flatMap((result) => stringOf(result['url']) ?? [])
  return {
    ...(items.length > 0 && { server_tool_calls: items }),
    ...(results.length > 0 && { search_results: results, citations }),
  }
}

/** Marks like `[2]` in a text that refer to a search result by its id, as citations of its page. */
export function markedCitations(text: string, items: readonly JsonObject[]): readonly Annotation[] {
  const results = items
    .filter((item) => item['type'] === 'search_results')
    .flatMap((item) => objectsOf(item['results']))
  if (results.length === 0) return []
  return [...text.matchAll(/\[(?:web:)?(\d+)\]/g)].flatMap(({ 0: mark, 1: id, index }): readonly Annotation[] => {
    const result = results.find((one) => String(one['id']) === id)
    const url = stringOf(result?.['url'])
    if (url === undefined) return []
    const title = stringOf(result?.['title']) ?? url
    return [{ type: 'url_citation', url_citation: { start_index: index, end_index: index + mark.length, url, title } }]
  })
}
