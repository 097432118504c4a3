const words =
  'the gateway reads a request and asks one of several models for an answer which it then gives back to whoever asked '

/** Text of a given length that looks like prose, so that JSON escapes and compression behave as usual. */
function prose(length) {
  return words.repeat(Math.ceil(length / words.length)).slice(0, length)
}

/** How many content chunks one benchmark stream has. */
export const chunksPerStream = 200

/** How many a stream has that is asked for with `briefStreamBody`. */
export const chunksPerBriefStream = 10

function chatBody(messages, stream) {
  return JSON.stringify({
    model: 'fast',
    messages,
    temperature: 0.2,
    max_tokens: 512,
    ...(stream && { stream: true, stream_options: { include_usage: true } }),
  })
}

const conversation = [
  { role: 'system', content: prose(400) },
  { role: 'user', content: prose(500) },
  { role: 'assistant', content: prose(500) },
  { role: 'user', content: prose(400) },
]

/** A conversation of about 2 KB. */
export const smallBody = Buffer.from(chatBody(conversation, false))

/** The same conversation, asking for a stream. */
export const streamBody = Buffer.from(chatBody(conversation, true))

/** By this the upstream knows a request for a brief answer. */
export const briefly = 'Answer briefly.'

/** Asks for a stream that is over soon: to warm up what runs once per stream, which long ones hardly do. */
export const briefStreamBody = Buffer.from(chatBody([...conversation, { role: 'user', content: briefly }], true))

/** A request of about 1 MB: four images of 256 KB each as data URLs. */
export const largeBody = Buffer.from(
  chatBody(
    [
      {
        role: 'user',
        content: [
          { type: 'text', text: prose(400) },
          ...Array.from({ length: 4 }, () => ({
            type: 'image_url',
            image_url: { url: `data:image/png;base64,${'iVBORw0KGgoAAAANSUhE'.repeat(13_107)}` },
          })),
        ],
      },
    ],
    false,
  ),
)

const usage = { prompt_tokens: 410, completion_tokens: 200, total_tokens: 610 }

/** An OpenAI answer of about 2 KB. */
export const wholeAnswer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-BenchmarkAnswer0001',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: 'gpt-4.1-mini-2025-04-14',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: prose(1_500), refusal: null, annotations: [] },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      ...usage,
      prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0 },
    },
    service_tier: 'default',
    system_fingerprint: 'fp_0123456789',
  }),
)

const chunkHead = {
  id: 'chatcmpl-BenchmarkStream0001',
  object: 'chat.completion.chunk',
  created: 1_790_000_000,
  model: 'gpt-4.1-mini-2025-04-14',
  service_tier: 'default',
  system_fingerprint: 'fp_0123456789',
}

function openaiEvent(choices, chunkUsage) {
  return Buffer.from(`data: ${JSON.stringify({ ...chunkHead, choices, usage: chunkUsage })}\n\n`)
}

function openaiChoice(delta, finishReason) {
  return [{ index: 0, delta, logprobs: null, finish_reason: finishReason }]
}

/** The events of an OpenAI stream, one buffer for each write: role, content, finish reason, usage, terminator. */
export function openaiStream(chunks) {
  return [
    openaiEvent(openaiChoice({ role: 'assistant', content: '', refusal: null }, null), null),
    ...Array.from({ length: chunks }, (_, index) =>
      openaiEvent(openaiChoice({ content: ` word${index}` }, null), null),
    ),
    openaiEvent(openaiChoice({}, 'stop'), null),
    openaiEvent([], usage),
    Buffer.from('data: [DONE]\n\n'),
  ]
}

function anthropicEvent(data) {
  return Buffer.from(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`)
}

/** The events of an Anthropic stream, one buffer for each write. */
export function anthropicStream(chunks) {
  return [
    anthropicEvent({
      type: 'message_start',
      message: {
        id: 'msg_BenchmarkStream0001',
        type: 'message',
        role: 'assistant',
        model: 'claude-sonnet-4-5-20250929',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 410, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 1 },
      },
    }),
    anthropicEvent({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    ...Array.from({ length: chunks }, (_, index) =>
      anthropicEvent({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text: ` word${index}` },
      }),
    ),
    anthropicEvent({ type: 'content_block_stop', index: 0 }),
    anthropicEvent({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 200 },
    }),
    anthropicEvent({ type: 'message_stop' }),
  ]
}
