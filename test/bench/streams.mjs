import { bedrockStream, cohereStream, geminiStream, ollamaStream, responsesStream } from './dialect-streams.mjs'
import { anthropicStream, chunksPerBriefStream, chunksPerStream, openaiStream } from './payloads.mjs'

const sse = 'text/event-stream; charset=utf-8'

/** The upstream's streams by the name of their dialect; `first` events are there up to the first word. */
export const streams = {
  openai: toStream(sse, 2, openaiStream),
  anthropic: toStream(sse, 3, anthropicStream),
  gemini: toStream(sse, 1, geminiStream),
  responses: toStream(sse, 5, responsesStream),
  bedrock: toStream('application/vnd.amazon.eventstream', 2, bedrockStream),
  cohere: toStream(sse, 3, cohereStream),
  ollama: toStream('application/x-ndjson', 1, ollamaStream),
}

function toStream(contentType, first, eventsOf) {
  return { contentType, first, events: eventsOf(chunksPerStream), briefEvents: eventsOf(chunksPerBriefStream) }
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

/** Whether a brief stream in OpenAI's format, which only warms up, has come to its end. */
export function isBriefChat(answer) {
  return answer.split('"content":" word').length - 1 === chunksPerBriefStream && answer.endsWith('data: [DONE]\n\n')
}
