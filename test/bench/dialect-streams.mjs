import { EventStreamCodec } from '@smithy/eventstream-codec'

// Each gives the events of one stream, one buffer for each write, with 410 tokens in and 200 out.

const words = (chunks) => Array.from({ length: chunks }, (_, index) => ` word${index}`)
const toSse = (data) => Buffer.from(`data: ${JSON.stringify(data)}\n\n`)
const toNamedSse = (data) => Buffer.from(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)

/** A stream of Gemini's streamGenerateContent; the counts are in every event, the reason is with the last word. */
export function geminiStream(chunks) {
  return words(chunks).map((text, index) => {
    const isLast = index === chunks - 1
    return toSse({
      candidates: [
        { content: { parts: [{ text }], role: 'model' }, ...(isLast && { finishReason: 'STOP' }), index: 0 },
      ],
      usageMetadata: {
        promptTokenCount: 410,
        candidatesTokenCount: index + 1,
        totalTokenCount: 411 + index,
        promptTokensDetails: [{ modality: 'TEXT', tokenCount: 410 }],
      },
      modelVersion: 'gemini-2.5-flash',
      responseId: 'BenchmarkStream0001',
    })
  })
}

function toResponse(status, output, usage) {
  return {
    id: 'resp_BenchmarkStream0001',
    object: 'response',
    created_at: 1_790_000_000,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    max_output_tokens: 512,
    model: 'gpt-4.1-mini-2025-04-14',
    output,
    parallel_tool_calls: true,
    store: false,
    temperature: 0.2,
    tools: [],
    usage,
    metadata: {},
  }
}

/** A stream of OpenAI's Responses API; the finished text is repeated in the last four events. */
export function responsesStream(chunks) {
  const place = { item_id: 'msg_BenchmarkStream0001', output_index: 0, content_index: 0 }
  const text = words(chunks).join('')
  const part = { type: 'output_text', annotations: [], logprobs: [], text }
  const item = { id: place.item_id, type: 'message', status: 'completed', role: 'assistant', content: [part] }
  const usage = {
    input_tokens: 410,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 200,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 610,
  }
  const begun = toResponse('in_progress', [], null)
  return [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { ...item, status: 'in_progress', content: [] },
    },
    { type: 'response.content_part.added', ...place, part: { ...part, text: '' } },
    ...words(chunks).map((delta) => ({ type: 'response.output_text.delta', ...place, delta, logprobs: [] })),
    { type: 'response.output_text.done', ...place, text, logprobs: [] },
    { type: 'response.content_part.done', ...place, part },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: toResponse('completed', [item], usage) },
  ].map(({ type, ...fields }, index) => toNamedSse({ type, sequence_number: index, ...fields }))
}

const aws = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text),
)

function awsEvent(name, payload) {
  const headers = { ':event-type': name, ':content-type': 'application/json', ':message-type': 'event' }
  const message = {
    headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, { type: 'string', value }])),
    body: Buffer.from(JSON.stringify(payload)),
  }
  return Buffer.from(aws.encode(message))
}

/** A stream of Bedrock's ConverseStream, framed by AWS's own encoder and padded to uneven lengths as Bedrock does. */
export function bedrockStream(chunks) {
  const padding = (index) => 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'.slice(0, 1 + ((index * 7) % 52))
  return [
    awsEvent('messageStart', { p: padding(1), role: 'assistant' }),
    ...words(chunks).map((text, index) =>
      awsEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text }, p: padding(index) }),
    ),
    awsEvent('contentBlockStop', { contentBlockIndex: 0, p: padding(2) }),
    awsEvent('messageStop', { p: padding(3), stopReason: 'end_turn' }),
    awsEvent('metadata', {
      metrics: { latencyMs: 274 },
      p: padding(4),
      usage: { inputTokens: 410, outputTokens: 200, totalTokens: 610 },
    }),
  ]
}

/** A stream of Cohere's second chat API. */
export function cohereStream(chunks) {
  const toDelta = (content) => ({ index: 0, delta: { message: { content } } })
  const tokens = { input_tokens: 410, output_tokens: 200 }
  return [
    ...[
      {
        type: 'message-start',
        id: '5e0d3a3c-0000-4000-8000-000000000001',
        delta: { message: { role: 'assistant', content: [], tool_plan: '', tool_calls: [], citations: [] } },
      },
      { type: 'content-start', ...toDelta({ type: 'text', text: '' }) },
      ...words(chunks).map((text) => ({ type: 'content-delta', ...toDelta({ text }) })),
      { type: 'content-end', index: 0 },
      { type: 'message-end', delta: { finish_reason: 'COMPLETE', usage: { billed_units: tokens, tokens } } },
    ].map(toNamedSse),
    Buffer.from('data: [DONE]\n\n'),
  ]
}

/** A stream of Ollama's own chat API, one object a line. */
export function ollamaStream(chunks) {
  const toLine = (content, fields) =>
    Buffer.from(
      `${JSON.stringify({
        model: 'llama3.2:3b',
        created_at: '2026-09-21T14:13:20.827959Z',
        message: { role: 'assistant', content },
        ...fields,
      })}\n`,
    )
  return [
    ...words(chunks).map((text) => toLine(text, { done: false })),
    toLine('', {
      done: true,
      done_reason: 'stop',
      total_duration: 529_451_542,
      load_duration: 34_159_709,
      prompt_eval_count: 410,
      prompt_eval_duration: 82_352_500,
      eval_count: 200,
      eval_duration: 150_962_708,
    }),
  ]
}
