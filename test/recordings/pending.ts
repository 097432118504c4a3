import { parseJson } from '../../src/wire/json.js'
import type { Received } from './client.js'
import { at, type Exchange } from './exchange.js'
import { furtherDialect } from './further/index.js'
import type { Replay } from './scope.js'

/** What the upstream answers, with 404, to whoever asks for a job's result that was not recorded. */
export const endOfRecording = 'the recording ends with the job still running'

/** True where the recorded reply is a job that has to be asked for again. */
export function isPending({ response }: Exchange, { dialect }: Replay): boolean {
  const reply = parseJson(response.text)
  return response.status < 400 && (furtherDialect(dialect)?.isPending?.(reply) ?? false)
}

/** A job is followed to its end, and what is said there reaches the client. */
export function checkPending(received: Received): readonly string[] {
  const message = at(parseJson(received.text), 'error', 'message')
  if (received.status === 404 && message === endOfRecording) return []
  return [`status ${received.status} where the job had to be asked for again: ${received.text.slice(0, 200)}`]
}
