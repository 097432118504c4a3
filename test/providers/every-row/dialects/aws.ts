import type { FakeCall, Rendered } from '../../../../src/testing/dialects/dialect.js'
import { pixelPng } from '../../../../src/testing/media.js'
import { awsEvent, awsPayloadPart } from '../../../support/aws-event-stream.js'
import { openaiChat } from './text.js'
import { dialectOf, framed, inputOf, say, vectorsFor } from './write.js'

const eventStream = 'application/vnd.amazon.eventstream'
const error = (_: number, message: string): { message: string } => ({ message })

/** Bedrock: Converse, its stream, and InvokeModel of Titan's embeddings and Nova's images. */
export const bedrock = dialectOf(
  'bedrock',
  {
    'POST /model/[^/]+/converse': (call) => ({ body: wholeConverse(call) }),
    'POST /model/[^/]+/converse-stream': converseStream,
    'POST /model/[^/]+/invoke': ({ body }) =>
      'inputText' in body
        ? { body: { embedding: vectorsFor('one')[0], inputTextTokenCount: 3 } }
        : { body: { images: [pixelPng] } },
  },
  error,
)

function wholeConverse(call: FakeCall) {
  const { text, calls, input, output } = say(call)
  const uses = calls.map((made) => ({ toolUse: { toolUseId: made.id, name: made.name, input: inputOf(made) } }))
  return {
    output: { message: { role: 'assistant', content: [...(text === '' ? [] : [{ text }]), ...uses] } },
    stopReason: calls.length > 0 ? 'tool_use' : 'end_turn',
    usage: { inputTokens: input, outputTokens: output, totalTokens: input + output },
  }
}

function converseStream(call: FakeCall): Rendered {
  const { pieces, calls, input, output } = say(call)
  const texts = pieces.map((text) => awsEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text } }))
  const uses = calls.flatMap(({ id, name, pieces: parts }, index) => [
    awsEvent('contentBlockStart', { contentBlockIndex: index + 1, start: { toolUse: { toolUseId: id, name } } }),
    ...parts.map((part) =>
      awsEvent('contentBlockDelta', { contentBlockIndex: index + 1, delta: { toolUse: { input: part } } }),
    ),
    awsEvent('contentBlockStop', { contentBlockIndex: index + 1 }),
  ])
  const end = [
    awsEvent('messageStop', { stopReason: calls.length > 0 ? 'tool_use' : 'end_turn' }),
    awsEvent('metadata', { usage: { inputTokens: input, outputTokens: output, totalTokens: input + output } }),
  ]
  return framed([awsEvent('messageStart', { role: 'assistant' }), ...texts, ...uses, ...end], eventStream)
}

/** SageMaker: a Text Generation Inference container behind an endpoint. */
export const sagemaker = dialectOf(
  'sagemaker',
  {
    'POST /endpoints/[^/]+/invocations': (call) => {
      if (!('parameters' in call.body)) return { body: { embedding: vectorsFor(call.body['inputs']) } }
      const { text, input, output } = say(call)
      const details = { finish_reason: 'eos_token', generated_tokens: output, input_length: input }
      return { body: { generated_text: text, details } }
    },
    'POST /endpoints/[^/]+/invocations-response-stream': (call) => {
      const { text, pieces, input, output } = say(call)
      const details = { finish_reason: 'eos_token', generated_tokens: output, input_length: input }
      const tokens = pieces.map((piece, index) => ({
        token: { text: piece, special: false },
        generated_text: index === pieces.length - 1 ? text : null,
        details: index === pieces.length - 1 ? details : null,
      }))
      const parts = tokens.map((token) => awsPayloadPart(Buffer.from(`data:${JSON.stringify(token)}\n\n`)))
      return framed(parts, eventStream)
    },
  },
  error,
)

/** SageMaker: containers that speak the Messages API, which is OpenAI's. */
export const sagemakerChat = dialectOf(
  'sagemaker_chat',
  {
    'POST /endpoints/[^/]+/invocations': (call) => openaiChat(call, false),
    'POST /endpoints/[^/]+/invocations-response-stream': (call) => {
      const answer = openaiChat(call, true)
      const events = 'events' in answer ? [...answer.events] : []
      return framed(
        events.map(({ frame }) => awsPayloadPart(Buffer.from(frame))),
        eventStream,
      )
    },
  },
  error,
)
