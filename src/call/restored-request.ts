import type { Deployment } from '../deployment.js'
import type { ChatRequest } from '../wire/chat.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { CallContext, CallParts } from './context.js'

/** The request as this deployment gets it: with the reasoning that is its own, and without another model's. */
export function restored<K extends Operation>(
  operation: K,
  request: Operations[K]['request'],
  deployment: Deployment,
  context: CallContext,
  parts: CallParts,
): Operations[K]['request'] {
  if (operation !== 'chat') return request
  return parts.reasoning.restore(request as ChatRequest, context.caller.id, deployment)
}
