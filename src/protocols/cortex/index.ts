import type { UpstreamRequest } from '../../upstream/message.js'
import { ignoredIn, settleRequest, settleUnsupported, type Take, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { jsonRequest } from '../text-answer.js'
import { toCompletion } from './answer.js'
import { createCortexStream } from './chat-stream.js'
import { toCortexMessages } from './messages.js'
import { formatMember, hostedTools, toolMembers } from './tools.js'

const table: Readonly<Record<string, Take>> = {
  max_tokens: 'max_tokens',
  max_completion_tokens: 'max_tokens',
  temperature: 'temperature',
  top_p: 'top_p',
}
const handled = ['function_call', 'functions', 'parallel_tool_calls', 'response_format', 'tool_choice', 'tools']

/** Chat over Snowflake's own `inference:complete`: https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api */
export const cortexChat: Codec<'chat'> = { encode, decode: toCompletion, decodeStream: createCortexStream }

function encode({ request: asked, deployment }: Exchange<'chat'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('chat', request, policy, table, handled)
  const stream = request.stream === true
  const body = {
    model: deployment.model,
    messages: toCortexMessages(request.messages, deployment.provider),
    stream,
    ...members,
    ...toolMembers(request),
    ...formatMember(request.response_format),
    ...extra,
  }
  const lost = [
    ...unsupported,
    ...hostedTools(request),
    ...(request.parallel_tool_calls === false ? ['parallel_tool_calls'] : []),
  ]
  const dropped = settleUnsupported(deployment, policy, lost, ignoredIn(request))
  return jsonRequest('/cortex/inference:complete', body, dropped, stream)
}
