import type { ChatRequest } from '../wire/chat.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import type { CallContext, CallParts } from './context.js'
import { beginGuard, guardStream, guardWhole } from './guard-call.js'
import { beginRecord } from './record-call.js'
import { type GivenWhole, runCall } from './run-call.js'
import { type GivenStream, runStream } from './run-stream.js'

/**
 * One call for a whole answer with everything around it: the host's hooks, its guardrails, and the record of how it
 * ended. Without any of these it is `runCall`.
 * @throws GatewayError
 */
export async function answerCall<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  context: CallContext,
  parts: CallParts,
): Promise<GivenWhole<K>> {
  const record = beginRecord(operation, request, context, parts)
  try {
    const asked = await prompted(operation, request, parts)
    const guard = beginGuard(operation, asked, context, parts)
    const given = guard ? await guardWhole(guard, parts) : await runCall(operation, asked, context, parts)
    record?.answered(given)
    return given
  } catch (thrown) {
    record?.failed(thrown)
    throw thrown
  }
}

/**
 * The same for a stream, up to its first content; the rest follows in `parts`.
 * @throws GatewayError for everything that goes wrong before content
 */
export async function answerStream<K extends StreamOperation>(
  operation: K,
  request: Operations[K]['request'],
  context: CallContext,
  parts: CallParts,
): Promise<GivenStream<K>> {
  const record = beginRecord(operation, request, context, parts)
  try {
    const asked = await prompted(operation, request, parts)
    const guard = beginGuard(operation, asked, context, parts)
    const given = guard ? await guardStream(guard, parts) : await runStream(operation, asked, context, parts)
    return record ? { ...given, parts: record.streamed(given) } : given
  } catch (thrown) {
    record?.failed(thrown)
    throw thrown
  }
}

/** The request with the prompt that it names in front, see `prompt_id`. */
function prompted<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  { prompts }: CallParts,
): Promise<Operations[K]['request']> | Operations[K]['request'] {
  if (operation !== 'chat' || !prompts) return request
  return prompts.apply(request as ChatRequest) ?? request
}
