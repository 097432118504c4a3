import { awsFailure } from '../../protocols/aws-failure.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import type { Quirks } from '../../protocols/openai/quirks.js'
import type { Protocol } from '../../protocols/protocol.js'
import { overEndpoint } from './endpoint.js'

function protocolOf(name: string, quirks: Quirks): Protocol {
  const { chat } = openaiProtocol(quirks).codecs
  if (!chat) throw new TypeError("OpenAI's dialect has chat")
  return { name, codecs: { chat: overEndpoint(chat) }, failure: awsFailure }
}

/** Endpoints whose containers speak OpenAI's chat ("Messages API"). */
export const messagesApiProtocol = protocolOf('sagemaker_chat', { thinkTags: true })

/** Endpoints of customised Nova models: OpenAI's chat without a model's name. */
export const novaProtocol = protocolOf('sagemaker_nova', {
  adjust: ({ model: _model, ...body }) => body,
})
