import { managedPrompt } from '../prompts/index.js'
import type { ChatRequest } from '../wire/chat.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import type { CallContext, CallParts } from './context.js'
import { type Guard, beginGuard, guardStream, guardWhole } from './guard-call.js'
import type { GivenWhole } from './given-whole.js'
import { type CallRecording, beginRecord } from './record-call.js'
import { runCall } from './run-call.js'
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
  return recorded({ operation, request, context, parts }, async (record, asked, guard) => {
    const given = guard ? await guardWhole(guard, parts) : await runCall(operation, asked, context, parts)
    record?.answered(given)
    return given
  })
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
  return recorded({ operation, request, context, parts }, async (record, asked, guard) => {
    const given = guard ? await guardStream(guard, parts) : await runStream(operation, asked, context, parts)
    return record ? { ...given, parts: record.streamed(given) } : given
  })
}

/** A call as it was asked for. */
interface AskedFor<K extends Operation> {
  readonly operation: K
  readonly request: Operations[K]['request']
  readonly context: CallContext
  readonly parts: CallParts
}

/** Makes a call of the request that it is meant to be, for those who take part in it, and notes where it fails. */
async function recorded<K extends Operation, Answer>(
  { operation, request, context, parts }: AskedFor<K>,
  answer: (
    record: CallRecording | undefined,
    asked: Operations[K]['request'],
    guard: Guard<K> | undefined,
  ) => Promise<Answer>,
): Promise<Answer> {
  const record = beginRecord(operation, request, context, parts)
  try {
    const asked = await prompted(operation, request, context, parts)
    const guard = beginGuard(operation, asked, context, parts)
    record?.asked(asked, guard)
    return await answer(record, asked, guard)
  } catch (thrown) {
    record?.failed(thrown)
    throw thrown
  }
}

/**
 * The request with the prompt in front that it names, see `prompt_id`, or that the only deployment of its model does.
 * @throws GatewayError also for a model that the caller may not use: nobody else learns of its prompt
 */
function prompted<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  { caller }: CallContext,
  { prompts, directory }: CallParts,
): Promise<Operations[K]['request']> | Operations[K]['request'] {
  if (operation !== 'chat' || !prompts) return request
  const asked = request as ChatRequest
  const { members } = directory.groups.resolve(asked.model, caller)
  const managed = managedPrompt(members.map(({ deployment }) => deployment))
  const applied = prompts.apply(asked, managed)
  if (!applied || !managed) return applied ?? request
  // A managed model is there to be used: a prompt may name another one only where that is one of ours.
  return applied.then((made) => (directory.groups.find(made.model) ? made : { ...made, model: asked.model }))
}
