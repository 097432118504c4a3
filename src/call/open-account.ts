import type { PlannedCall } from '../spend/index.js'
import type { Operation } from '../wire/operations.js'
import type { CallAccount } from './accounts/accounts.js'
import type { ModelGroup } from '../router/model-group.js'
import type { Operations } from '../wire/operations.js'
import type { CallContext, CallParts } from './context.js'
import type { RepeatableCall } from './earlier-answers.js'
import { labelTags } from './routing-facts.js'

/** A call as far as its account depends on it. */
export interface AskedCall<K extends Operation> {
  readonly operation: K
  readonly request: Operations[K]['request']
  readonly group: ModelGroup
  readonly context: CallContext
}

/** As `Accounts.open`, of which it is the one use. */
export function beginAccount<K extends Operation>(
  { operation, request, group, context }: AskedCall<K>,
  { accounts }: CallParts,
): ReturnType<CallParts['accounts']['open']> {
  return accounts.open({
    // The operation and its request belong together, which the compiler does not follow.
    planned: { operation, request } as PlannedCall,
    caller: context.caller,
    callId: context.requestId,
    group,
    readTags: () => labelTags(request, context),
  })
}

/**
 * Lets the call in, or not; its account is closed when the call is over. Undefined where nobody keeps books.
 * @throws GatewayError budget_exceeded, limit_exceeded
 */
export async function openAccount<K extends Operation>(
  { operation, request, call, context }: RepeatableCall<K>,
  parts: CallParts,
): Promise<CallAccount | undefined> {
  const opening = beginAccount({ operation, request, context, group: call.route.group }, parts)
  if (!opening) return undefined
  const account = opening instanceof Promise ? await opening : opening
  call.account = account
  call.onEnd(() => {
    account.close(context.trail)
    context.trail.rows = account.rows
  })
  return account
}
