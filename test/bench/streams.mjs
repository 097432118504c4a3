import { bedrockStream, cohereStream, geminiStream, ollamaStream, responsesStream } from './dialect-streams.mjs'
import { anthropicStream, chunksPerStream, openaiStream } from './payloads.mjs'

const sse = 'text/event-stream; charset=utf-8'

/** The upstream's streams by the name of their dialect; `first` events are there up to the first word. */
export const streams = {
  openai: { contentType: sse, first: 2, events: openaiStream(chunksPerStream) },
  anthropic: { contentType: sse, first: 3, events: anthropicStream(chunksPerStream) },
  gemini: { contentType: sse, first: 1, events: geminiStream(chunksPerStream) },
  responses: { contentType: sse, first: 5, events: responsesStream(chunksPerStream) },
  bedrock: { contentType: 'application/vnd.amazon.eventstream', first: 2, events: bedrockStream(chunksPerStream) },
  cohere: { contentType: sse, first: 3, events: cohereStream(chunksPerStream) },
  ollama: { contentType: 'application/x-ndjson', first: 1, events: ollamaStream(chunksPerStream) },
}

/** Whether the upstream's bytes came through as they are. */
export function isRelayed(dialect) {
  const whole = Buffer.concat(streams[dialect].events).toString('latin1')
  return (answer) => answer === whole
}

/** Whether a stream in OpenAI's format has every word, its reason, its usage and its end. */
export function isWholeChat(answer) {
  return (
    answer.split('"content":" word').length - 1 === chunksPerStream &&
    answer.includes('"finish_reason":"stop"') &&
    answer.includes('"total_tokens":610') &&
    answer.endsWith('data: [DONE]\n\n')
  )
}
