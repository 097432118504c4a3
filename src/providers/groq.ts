import { InvalidRequestError } from '../errors.js'
import type { Codec, Exchange, Protocol } from '../protocols/protocol.js'
import { isObject } from '../wire/json.js'

/** Models that know no JSON schema: https://console.groq.com/docs/structured-outputs#supported-models */
export const groqWithoutSchema = /^(?:allam|deepseek|gemma|llama-?3|llama-guard|mistral|mixtral|qwen)/

/** Groq refuses a schema beside tools, and does not stream one: such an answer is asked for whole and streamed by us. */
export function groqSchemas(protocol: Protocol): Protocol {
  const { chat } = protocol.codecs
  return chat ? { ...protocol, codecs: { ...protocol.codecs, chat: withSchemas(chat) } } : protocol
}

function withSchemas(base: Codec<'chat'>): Codec<'chat'> {
  return {
    ...base,
    encode(exchange) {
      if (!asksForSchema(exchange)) return base.encode(exchange)
      const { request, deployment } = exchange
      if (!groqWithoutSchema.test(deployment.model)) {
        return base.encode({ ...exchange, request: { ...request, stream: false } })
      }
      if ((request.tools ?? []).length > 0) {
        throw new InvalidRequestError(
          `${deployment.model} knows no JSON schema, and a tool cannot stand in for it beside other tools.`,
          'response_format',
        )
      }
      return base.encode(exchange)
    },
  }
}

function asksForSchema({ request, deployment }: Exchange<'chat'>): boolean {
  const format = request.response_format ?? deployment.params['response_format']
  return isObject(format) && format['type'] === 'json_schema'
}
