import type { ScriptedAnswer, ScriptFunction } from '../../src/testing/script.js'
import { isObject, type JsonObject } from '../../src/wire/json.js'
import { awsEvent } from '../support/aws-event-stream.js'
import { sse } from './lab.js'

/** Claude's answer with these blocks, whole or streamed as it is asked for. */
export function claude(blocks: readonly JsonObject[], stop_reason = 'end_turn'): ScriptFunction {
  return ({ body }) => {
    const message = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude' }
    if (!isObject(body) || body['stream'] !== true) {
      const usage = { input_tokens: 10, output_tokens: 5 }
      return { body: { ...message, content: blocks, stop_reason, stop_sequence: null, usage } }
    }
    const start = { ...message, content: [], stop_reason: null, usage: { input_tokens: 10, output_tokens: 1 } }
    return {
      chunks: [
        sse({ type: 'message_start', message: start }, 'message_start'),
        sse({ type: 'ping' }, 'ping'),
        ...blocks.flatMap(claudeBlock),
        sse({ type: 'message_delta', delta: { stop_reason }, usage: { output_tokens: 5 } }, 'message_delta'),
        sse({ type: 'message_stop' }, 'message_stop'),
      ],
    }
  }
}

/** `partial` is the JSON of a call that was cut off; a call without members streams no JSON at all. */
function claudeBlock(block: JsonObject, index: number): readonly string[] {
  const { partial, ...content } = block
  const deltas: readonly JsonObject[] =
    content['type'] === 'text'
      ? [{ type: 'text_delta', text: content['text'] }]
      : content['type'] === 'thinking'
        ? [
            { type: 'thinking_delta', thinking: content['thinking'] },
            { type: 'signature_delta', signature: content['signature'] },
          ]
        : content['type'] === 'tool_use' && JSON.stringify(content['input']) !== '{}'
          ? [{ type: 'input_json_delta', partial_json: partial ?? JSON.stringify(content['input']) }]
          : []
  const empty: Readonly<Record<string, JsonObject>> = {
    text: { text: '' },
    thinking: { thinking: '', signature: '' },
    tool_use: { input: {} },
  }
  const content_block = { ...content, ...empty[String(content['type'])] }
  return [
    sse({ type: 'content_block_start', index, content_block }, 'content_block_start'),
    ...deltas.map((delta) => sse({ type: 'content_block_delta', index, delta }, 'content_block_delta')),
    sse({ type: 'content_block_stop', index }, 'content_block_stop'),
  ]
}

const counts = { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 }

/** Gemini's answer with these parts; the finish reason comes with the last. `more` goes beside the candidates. */
export function gemini(parts: readonly JsonObject[], finishReason = 'STOP', more: JsonObject = {}): ScriptFunction {
  const reply = (some: readonly JsonObject[], end: boolean): JsonObject => {
    const content = some.length === 0 ? {} : { role: 'model', parts: some }
    const candidate = { index: 0, content, ...(end && { finishReason }) }
    return { candidates: [candidate], usageMetadata: counts, ...more }
  }
  return ({ path }) => {
    if (!path.includes(':streamGenerateContent')) return { body: reply(parts, true) }
    const pieces =
      parts.length === 0 ? [reply([], true)] : parts.map((part, at) => reply([part], at === parts.length - 1))
    return { chunks: pieces.map((piece) => sse(piece)) }
  }
}

/** Converse's answer, whole or as frames. */
export function converse(blocks: readonly JsonObject[], stopReason = 'end_turn'): ScriptFunction {
  return ({ path }) =>
    path.endsWith('-stream')
      ? eventStream(converseFrames(blocks, stopReason))
      : { body: converseBody(blocks, stopReason) }
}

/** The body of Converse's whole answer. */
export function converseBody(blocks: readonly JsonObject[], stopReason = 'end_turn'): JsonObject {
  const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 }
  return { output: { message: { role: 'assistant', content: blocks } }, stopReason, usage }
}

/** The frames of a Converse stream. */
export function converseFrames(blocks: readonly JsonObject[], stopReason = 'end_turn'): readonly Buffer[] {
  const frames = blocks.flatMap((block, contentBlockIndex) => {
    const use = isObject(block['toolUse']) ? block['toolUse'] : undefined
    const start = use && awsEvent('contentBlockStart', { contentBlockIndex, start: { toolUse: { ...use, input: '' } } })
    const delta = use ? { toolUse: { input: JSON.stringify(use['input']) } } : block
    return [
      ...(start ? [start] : []),
      awsEvent('contentBlockDelta', { contentBlockIndex, delta }),
      awsEvent('contentBlockStop', { contentBlockIndex }),
    ]
  })
  const usage = { inputTokens: 10, outputTokens: 5, totalTokens: 15 }
  return [
    awsEvent('messageStart', { role: 'assistant' }),
    ...frames,
    awsEvent('messageStop', { stopReason }),
    awsEvent('metadata', { usage }),
  ]
}

/** Bytes as AWS's event stream, one write each. */
export function eventStream(pieces: readonly Uint8Array[]): ScriptedAnswer {
  return { headers: { 'content-type': 'application/vnd.amazon.eventstream' }, chunks: pieces }
}

const base = { id: 'chatcmpl-1', created: 1, model: 'm' }

/** A whole answer of OpenAI's. */
export function openai(message: JsonObject, finish_reason = 'stop'): ScriptedAnswer {
  const choices = [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason }]
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
  return { body: { ...base, object: 'chat.completion', choices, usage } }
}

/** A chunk of OpenAI's as an event. */
export function chunk(delta: JsonObject, finish_reason: string | null = null, more: JsonObject = {}): string {
  return sse({ ...base, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }], ...more })
}

/** The end of OpenAI's streams. */
export const done = 'data: [DONE]\n\n'

/** OpenAI's answer, whole or as chunks. */
export function openaiBoth(message: JsonObject, finish: string, chunks: readonly string[]): ScriptFunction {
  return ({ body }) => (isObject(body) && body['stream'] === true ? { chunks } : openai(message, finish))
}
