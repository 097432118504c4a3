import { Badge } from '../kit/parts.js'
import type { CallRow } from './call-types.js'

/** Ways in which a call can end, in words; others are shown as they are called. */
const words: Readonly<Record<string, string>> = {
  answered: 'ok',
  streamed: 'ok',
  cached: 'from the cache',
  replayed: 'repeated answer',
  invalid_request: 'invalid request',
  unsupported_parameter: 'unsupported parameter',
  context_window: 'prompt too long',
  content_policy: 'content policy',
  guardrail_blocked: 'guardrail',
  unauthenticated: 'not signed in',
  not_allowed: 'not allowed',
  model_not_found: 'unknown model',
  budget_exceeded: 'budget spent',
  limit_exceeded: 'limit reached',
  client_left: 'client left',
  client_left_mid_stream: 'client left mid-stream',
  request_timeout: 'request timeout',
  upstream_refused: 'provider refused',
  rate_limited: 'provider rate limit',
  upstream_error: 'provider error',
  upstream_unreachable: 'provider unreachable',
  upstream_timeout: 'provider timeout',
  stream_broken: 'stream broke off',
  unavailable: 'unavailable',
  internal: 'internal error',
}

/** Every outcome as a choice: its name, and how it is told. */
export const outcomeChoices: readonly (readonly [string, string])[] = Object.entries(words).map(([name, text]) => [
  `outcome:${name}`,
  text === 'ok' ? name : text,
])

/** How a call ended. */
export function Outcome({ of: { status, outcome, http_status: code } }: { readonly of: Ending }) {
  const text = words[outcome] ?? outcome
  if (status === 'failure') return <Badge tone="bad">{`${text} ${code}`}</Badge>
  return <Badge tone={text === 'ok' ? 'good' : 'plain'}>{text}</Badge>
}

type Ending = Pick<CallRow, 'status' | 'outcome' | 'http_status'>
