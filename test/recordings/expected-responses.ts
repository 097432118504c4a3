import { isObject, numberOf, stringOf, type JsonObject } from '../../src/wire/json.js'
import { finishReasonOf, type Answer, type AnsweredUsage, type CalledTool } from './answer.js'
import { at, objectsIn, textOf } from './exchange.js'

/** Reads a whole response, or the events of a streamed one: https://platform.openai.com/docs/api-reference/responses */
export function readResponsesAnswer(payloads: readonly unknown[], streamed: boolean): Answer {
  const response = streamed ? responseFromEvents(payloads) : payloads[0]
  const items = objectsIn(at(response, 'output'))
  const toolCalls = items.flatMap(toCall)
  const messages = items.filter((item) => item['type'] === 'message')
  const reasoning = items.flatMap((item) => {
    if (item['type'] === 'message' && item['phase'] === 'commentary') return textsOf(item['content'])
    if (item['type'] !== 'reasoning') return []
    const summary = textsOf(item['summary'])
    return summary.length > 0 ? summary : textsOf(item['content'])
  })
  const choice = {
    text: messages
      .filter((item) => item['phase'] !== 'commentary')
      .flatMap((item) => textsOf(item['content']))
      .join(''),
    reasoning: reasoning.filter(Boolean).join('\n\n'),
    images: items.filter((item) => item['type'] === 'image_generation_call' && stringOf(item['result'])).length,
    toolCalls,
    finish: finishOf(response, toolCalls.length),
  }
  return { choices: new Map([[0, choice]]), usage: readUsage(at(response, 'usage')) }
}

/** The error in a payload of this API; undefined where it holds none. */
export function responsesFailure(payload: unknown): unknown {
  if (at(payload, 'type') === 'error') return at(payload, 'error') ?? payload
  return at(payload, 'type') === 'response.failed' ? at(payload, 'response') : undefined
}

function textsOf(parts: unknown): readonly string[] {
  return objectsIn(parts).map((part) => textOf(part['text']))
}

function toCall(item: JsonObject): readonly CalledTool[] {
  const { type, call_id, name, arguments: args, input } = item
  if (type !== 'function_call' && type !== 'custom_tool_call') return []
  const text = type === 'function_call' ? args : input
  return [{ id: stringOf(call_id), name: textOf(name), arguments: stringOf(text) ?? '{}' }]
}

/** The items as they were finished, with the status and usage of the last event. */
function responseFromEvents(events: readonly unknown[]): JsonObject {
  const last = events.find((event) => /^response\.(?:completed|incomplete)$/.test(textOf(at(event, 'type'))))
  const response = at(last, 'response')
  const done = events
    .filter((event) => at(event, 'type') === 'response.output_item.done')
    .map((event) => at(event, 'item'))
  const output = done.length > 0 ? done : at(response, 'output')
  return { ...(isObject(response) && response), output }
}

function finishOf(response: unknown, toolCalls: number): string | undefined {
  const status = at(response, 'status')
  if (status === 'incomplete') {
    return at(response, 'incomplete_details', 'reason') === 'content_filter' ? 'content_filter' : 'length'
  }
  return status === 'completed' ? finishReasonOf('stop', toolCalls) : undefined
}

function readUsage(usage: unknown): AnsweredUsage | undefined {
  const [prompt, completion] = [numberOf(at(usage, 'input_tokens')), numberOf(at(usage, 'output_tokens'))]
  if (prompt === undefined || completion === undefined) return undefined
  return { prompt, completion, total: numberOf(at(usage, 'total_tokens')) }
}
