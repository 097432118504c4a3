import type { PlannedCall } from '../spend/index.js'
import type { Operation } from '../wire/operations.js'
import type { CallAccount } from './accounts/accounts.js'
import type { CallParts } from './context.js'
import type { RepeatableCall } from './earlier-answers.js'
import { labelTags } from './routing-facts.js'

/**
 * Lets the call in, or not; its account is closed when the call is over. Undefined where nobody keeps books.
 * @throws GatewayError budget_exceeded, limit_exceeded
 */
export async function openAccount<K extends Operation>(
  { operation, request, call, context }: RepeatableCall<K>,
  parts: CallParts,
): Promise<CallAccount | undefined> {
  const opening = parts.accounts.open({
    // The operation and its request belong together, which the compiler does not follow.
    planned: { operation, request } as PlannedCall,
    caller: context.caller,
    callId: context.requestId,
    group: call.route.group,
    readTags: () => labelTags(request, context),
  })
  if (!opening) return undefined
  const account = opening instanceof Promise ? await opening : opening
  call.account = account
  call.onEnd(() => {
    account.close(context.trail)
    context.trail.rows = account.rows
  })
  return account
}
