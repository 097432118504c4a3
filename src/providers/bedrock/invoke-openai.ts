import { invokeRequest, textInChunk, usageInChunk, usageInHeaders } from '../../protocols/invoke-envelope.js'
import { openaiProtocol } from '../../protocols/openai/index.js'
import { OuterDecoder } from '../../protocols/outer-decoder.js'
import type { Codec, Exchange } from '../../protocols/protocol.js'
import { isObject, type JsonObject, parseJson } from '../../wire/json.js'

const inner = openaiProtocol({ thinkTags: true, messages: { flattenText: true, dropNulls: true } }).codecs.chat

function chat(): Codec<'chat'> {
  if (!inner) throw new TypeError("OpenAI's dialect has chat")
  return inner
}

const thought = /^\s*<reasoning>([\s\S]*?)<\/reasoning>/

/** gpt-oss puts what it thinks between tags of its own, in streams around every piece. */
function withoutTags(message: unknown): unknown {
  if (!isObject(message) || typeof message['content'] !== 'string') return message
  const [whole, reasoning] = thought.exec(message['content']) ?? []
  if (whole === undefined) return message
  return { ...message, content: message['content'].slice(whole.length), reasoning_content: reasoning }
}

function readable(body: JsonObject): JsonObject {
  if (!Array.isArray(body['choices'])) return body
  const choices = body['choices'].filter(isObject).map((choice) => ({
    ...choice,
    ...(choice['message'] !== undefined && { message: withoutTags(choice['message']) }),
    ...(choice['delta'] !== undefined && { delta: withoutTags(choice['delta']) }),
  }))
  return { ...body, choices }
}

/** The usage of an answer, which some models leave to the service's own counts. */
function withUsage(body: JsonObject, counted: JsonObject | undefined): JsonObject {
  return isObject(body['usage']) || counted === undefined ? body : { ...body, usage: counted }
}

/** Chat over InvokeModel with models whose own format is OpenAI's: gpt-oss, Qwen, Jamba, Pixtral and imported ones. */
export function createInvokeOpenaiCodec(idOf: (exchange: Exchange<'chat'>) => string): Codec<'chat'> {
  return {
    encode(exchange) {
      const encoded = chat().encode(exchange)
      const text = typeof encoded.body === 'string' ? encoded.body : Buffer.from(encoded.body ?? '').toString('utf8')
      const body = parseJson(text)
      const { model: _model, stream: _stream, stream_options: _options, ...own } = isObject(body) ? body : {}
      return invokeRequest(idOf(exchange), own, exchange.request.stream === true, encoded.droppedParams)
    },
    decode(body, exchange, headers) {
      const whole = isObject(body) ? withUsage(readable(body), usageInHeaders(headers)) : body
      return chat().decode(whole, exchange, headers)
    },
    decodeStream(exchange) {
      const decoder = chat().decodeStream?.(exchange)
      if (!decoder) throw new TypeError("OpenAI's dialect streams")
      return new OuterDecoder(decoder, {
        push(event) {
          const text = textInChunk(event, exchange.deployment.provider)
          const chunk = text === undefined ? undefined : parseJson(text)
          if (!isObject(chunk)) return []
          const data = JSON.stringify(withUsage(readable(chunk), usageInChunk(chunk)))
          return decoder.push({ event: '', data, frame: undefined })
        },
        end: () => decoder.end(),
      })
    },
  }
}
