import type { Deployment } from '../../deployment.js'
import type { ChatRequest } from '../../wire/chat.js'
import type { JsonObject } from '../../wire/json.js'
import { isObject, stringOf } from '../../wire/json.js'
import type { Block } from './content.js'

// Source: https://platform.claude.com/docs/en/api/beta-headers and the pages of the features.
const betasByToolType: readonly (readonly [RegExp, string])[] = [
  [/^computer_20241022$/, 'computer-use-2024-10-22'],
  [/^computer_20250124$/, 'computer-use-2025-01-24'],
  [/^computer_20251124$/, 'computer-use-2025-11-24'],
  [/^code_execution_20250522$/, 'code-execution-2025-05-22'],
  [/^code_execution_20250825$/, 'code-execution-2025-08-25'],
  [/^web_fetch_20250910$/, 'web-fetch-2025-09-10'],
]

function list(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** The names in a header value or a list of them. */
function names(value: unknown): readonly string[] {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value]
  return parts.flatMap((part) => (typeof part === 'string' ? part.split(',') : [])).map((name) => name.trim())
}

function usesFile(block: Block): boolean {
  if (block['type'] === 'container_upload') return true
  if (isObject(block['source']) && block['source']['type'] === 'file') return true
  return block['type'] === 'tool_result' && list(block['content']).some(usesFile)
}

function ofContextManagement(body: JsonObject): readonly string[] {
  const management = body['context_management']
  if (!isObject(management)) return []
  const compacts = (edit: JsonObject): boolean => stringOf(edit['type'])?.startsWith('compact') ?? false
  const edits = list(management['edits'])
  return [
    ...(edits.some(compacts) ? ['compact-2026-01-12'] : []),
    ...(edits.length === 0 || !edits.every(compacts) ? ['context-management-2025-06-27'] : []),
  ]
}

function ofContainer(body: JsonObject): readonly string[] {
  const container = body['container']
  return isObject(container) && list(container['skills']).length > 0
    ? ['skills-2025-10-02', 'code-execution-2025-08-25']
    : []
}

function ofTools(body: JsonObject): readonly string[] {
  return list(body['tools']).flatMap((tool) => {
    const type = stringOf(tool['type']) ?? ''
    return betasByToolType.flatMap(([pattern, beta]) => (pattern.test(type) ? [beta] : []))
  })
}

/**
 * The value of `anthropic-beta`: what the caller (`anthropic_beta`) and the deployment's headers name, and what the
 * features in the body need; each once. Undefined where there is none.
 * @param blocks all blocks of the conversation
 */
export function betaHeader(
  body: JsonObject,
  blocks: readonly Block[],
  request: ChatRequest,
  deployment: Deployment,
): string | undefined {
  const all = [
    ...names(request['anthropic_beta']),
    ...Object.entries(deployment.headers).flatMap(([name, value]) =>
      name.toLowerCase() === 'anthropic-beta' ? names(value) : [],
    ),
    ...ofTools(body),
    ...ofContextManagement(body),
    ...ofContainer(body),
    ...(list(body['mcp_servers']).length > 0 ? ['mcp-client-2025-04-04'] : []),
    ...(body['speed'] === 'fast' ? ['fast-mode-2026-02-01'] : []),
    ...(blocks.some(usesFile) ? ['files-api-2025-04-14'] : []),
  ].filter((name) => name !== '')
  return all.length === 0 ? undefined : [...new Set(all)].join(',')
}
