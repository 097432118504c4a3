import type { JsonObject } from '../../src/wire/json.js'
import { checkReply } from './check-reply.js'
import { checkRequest, type RequestCheck } from './check-request.js'
import type { Received } from './client.js'
import { at, type Exchange } from './exchange.js'
import { checkPending, isPending } from './pending.js'
import type { Replay } from './scope.js'
import type { Sent } from './upstream.js'

/** The credential that every deployment of the replay has; it must never come back. */
export const replayKey = 'sk-replayed-0123456789abcdef'

/** One exchange, replayed. */
export interface Replayed {
  readonly exchange: Exchange
  readonly replay: Replay
  /** In OpenAI's format. */
  readonly asked: JsonObject
  readonly sent: readonly Sent[]
  readonly received: Received
}

/** What is wrong with a replayed exchange, in both directions. */
export function checkReplayed(replayed: Replayed): RequestCheck {
  const { exchange, replay, asked, sent, received } = replayed
  const [first] = sent
  if (!first) return { problems: checkRefusal(exchange, received), excused: [] }
  const pending = isPending(exchange, replay)
  const due = pending ? 2 : 1
  const again = sent.length !== due ? [`sent ${sent.length} times`] : []
  const request = checkRequest(exchange, replay, first, droppedParams(received))
  const reply = pending ? checkPending(received) : checkReply(exchange, replay, wishes(asked), received)
  const leak = JSON.stringify(received).includes(replayKey) ? ['the key is in the answer'] : []
  return { problems: [...again, ...request.problems, ...reply, ...leak], excused: request.excused }
}

/** Nothing was sent: right only where the provider did not take the request either. */
function checkRefusal(exchange: Exchange, received: Received): readonly string[] {
  if (received.status === 400 && exchange.response.status >= 400) return []
  return [`refused with ${received.status}: ${received.text.slice(0, 300)}`]
}

function droppedParams(received: Received): readonly string[] {
  return (received.headers['x-sluice-dropped-params'] ?? '').split(',').map((name) => name.trim())
}

function wishes(asked: JsonObject) {
  return { stream: asked['stream'] === true, usage: at(asked, 'stream_options', 'include_usage') === true }
}
