import { type JsonObject, stringOf } from '../../wire/json.js'

// Cohere's and Voyage's names for Google's task types.
const taskTypes: Readonly<Record<string, string>> = {
  search_document: 'RETRIEVAL_DOCUMENT',
  document: 'RETRIEVAL_DOCUMENT',
  passage: 'RETRIEVAL_DOCUMENT',
  search_query: 'RETRIEVAL_QUERY',
  query: 'RETRIEVAL_QUERY',
}

/** What an embedding is for, in Google's words; undefined where the request does not say. */
export function toTaskType(request: JsonObject): string | undefined {
  const given = stringOf(request['task_type']) ?? stringOf(request['taskType']) ?? stringOf(request['input_type'])
  if (given === undefined) return undefined
  return (Object.hasOwn(taskTypes, given) ? taskTypes[given] : undefined) ?? given.toUpperCase()
}
