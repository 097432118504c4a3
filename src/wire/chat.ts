import { z } from 'zod'
import { ChatUsage } from './usage.js'

// Objects are loose: providers add fields weekly, and what we do not know must reach the upstream untouched.

const CacheControl = z.looseObject({ type: z.string(), ttl: z.string().optional() })

const TextPart = z.looseObject({ type: z.literal('text'), text: z.string(), cache_control: CacheControl.nullish() })
const RefusalPart = z.looseObject({ type: z.literal('refusal'), refusal: z.string() })
const ImagePart = z.looseObject({
  type: z.literal('image_url'),
  // A bare string is what several SDKs of other providers send; it is turned into the object form.
  image_url: z.union([
    z.string(),
    z.looseObject({ url: z.string(), detail: z.string().nullish(), format: z.string().nullish() }),
  ]),
  cache_control: CacheControl.nullish(),
})
const AudioPart = z.looseObject({
  type: z.literal('input_audio'),
  input_audio: z.looseObject({ data: z.string(), format: z.string() }),
})
const FilePart = z.looseObject({
  type: z.literal('file'),
  file: z.looseObject({
    file_data: z.string().nullish(),
    file_id: z.string().nullish(),
    filename: z.string().nullish(),
    format: z.string().nullish(),
  }),
  cache_control: CacheControl.nullish(),
})
const knownParts = ['text', 'refusal', 'image_url', 'input_audio', 'file']
const OtherPart = z
  .looseObject({ type: z.string() })
  .refine((part) => !knownParts.includes(part.type), { error: 'is not a valid part of its type' })

/** One part of a message's content; parts of unknown type are kept for providers that know them. */
export const ContentPart = z.union([
  z.discriminatedUnion('type', [TextPart, ImagePart, AudioPart, FilePart, RefusalPart]),
  OtherPart,
])
const Content = z.union([z.string(), z.array(ContentPart)])

/** A reasoning block of Claude's kind; it must go back byte-identical, so the signature is opaque. */
export const ThinkingBlock = z.union([
  z.looseObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string().nullish() }),
  z.looseObject({ type: z.literal('redacted_thinking'), data: z.string() }),
])

/** A tool call in an assistant message. `provider_specific_fields.thought_signature` carries Gemini's signature. */
export const ToolCall = z.looseObject({
  id: z.string(),
  type: z.string().optional(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }).optional(),
  custom: z.looseObject({ name: z.string(), input: z.string() }).optional(),
  provider_specific_fields: z.looseObject({ thought_signature: z.string().optional() }).nullish(),
})

const FunctionCall = z.looseObject({ name: z.string(), arguments: z.string() })

const SystemMessage = z.looseObject({ role: z.literal('system'), content: Content, name: z.string().nullish() })
const DeveloperMessage = z.looseObject({ role: z.literal('developer'), content: Content, name: z.string().nullish() })
const UserMessage = z.looseObject({ role: z.literal('user'), content: Content, name: z.string().nullish() })
const AssistantMessage = z.looseObject({
  role: z.literal('assistant'),
  content: Content.nullish(),
  name: z.string().nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(ToolCall).nullish(),
  function_call: FunctionCall.nullish(),
  audio: z.looseObject({ id: z.string() }).nullish(),
  reasoning_content: z.string().nullish(),
  thinking_blocks: z.array(ThinkingBlock).nullish(),
})
const ToolMessage = z.looseObject({
  role: z.literal('tool'),
  tool_call_id: z.string(),
  content: Content.nullish(),
  name: z.string().nullish(),
})
const FunctionMessage = z.looseObject({ role: z.literal('function'), name: z.string(), content: z.string().nullish() })

/** One message of a conversation, discriminated by `role`. */
export const ChatMessage = z.discriminatedUnion('role', [
  UserMessage,
  AssistantMessage,
  SystemMessage,
  ToolMessage,
  DeveloperMessage,
  FunctionMessage,
])

/** A tool that the model may call: a function, a custom tool, or a provider's hosted tool of any type. */
export const ChatTool = z
  .looseObject({
    type: z.string(),
    function: z
      .looseObject({
        name: z.string().min(1),
        description: z.string().nullish(),
        parameters: z.record(z.string(), z.unknown()).nullish(),
        strict: z.boolean().nullish(),
      })
      .optional(),
  })
  .refine((tool) => tool.type !== 'function' || tool.function !== undefined, {
    error: 'a function tool needs `function`',
  })

/** `none`, `auto`, `required`, or the one tool to call. */
export const ToolChoice = z.union([z.string(), z.looseObject({ type: z.string() })])

/** What the answer must look like: `text`, `json_object`, or `json_schema`. */
export const ResponseFormat = z.looseObject({
  type: z.string(),
  json_schema: z
    .looseObject({
      name: z.string(),
      description: z.string().nullish(),
      schema: z.record(z.string(), z.unknown()).nullish(),
      strict: z.boolean().nullish(),
    })
    .optional(),
})

const positiveInteger = z.int().positive()
const stringMap = z.record(z.string(), z.unknown())

/** `POST /v1/chat/completions`: every parameter that OpenAI documents; the others are kept and forwarded. */
export const ChatRequest = z.looseObject({
  model: z.string().min(1),
  messages: z.array(ChatMessage).min(1),
  audio: z.looseObject({ voice: z.unknown(), format: z.string() }).nullish(),
  frequency_penalty: z.number().nullish(),
  function_call: z.union([z.string(), z.looseObject({ name: z.string() })]).nullish(),
  functions: z.array(z.looseObject({ name: z.string().min(1), parameters: stringMap.nullish() })).nullish(),
  logit_bias: z.record(z.string(), z.number()).nullish(),
  logprobs: z.boolean().nullish(),
  max_completion_tokens: positiveInteger.nullish(),
  max_tokens: positiveInteger.nullish(),
  metadata: stringMap.nullish(),
  modalities: z.array(z.string()).nullish(),
  n: positiveInteger.nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  prediction: z.looseObject({ type: z.string() }).nullish(),
  presence_penalty: z.number().nullish(),
  prompt_cache_key: z.string().nullish(),
  reasoning_effort: z.string().nullish(),
  response_format: ResponseFormat.nullish(),
  safety_identifier: z.string().nullish(),
  // Of 64 bits at OpenAI, more than a number holds exactly.
  seed: z.number().nullish(),
  service_tier: z.string().nullish(),
  stop: z.union([z.string(), z.array(z.string())]).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  temperature: z.number().nullish(),
  tool_choice: ToolChoice.nullish(),
  tools: z.array(ChatTool).nullish(),
  top_logprobs: z.int().nonnegative().nullish(),
  top_p: z.number().nullish(),
  user: z.string().nullish(),
  verbosity: z.string().nullish(),
  web_search_options: stringMap.nullish(),
  // Beyond OpenAI: Claude's reasoning control, understood by every reasoning provider's translation.
  thinking: z.looseObject({ type: z.string(), budget_tokens: z.int().nullish() }).nullish(),
})

/** OpenAI's finish reasons; every provider's own are mapped onto these. */
export const FinishReason = z.enum(['stop', 'length', 'tool_calls', 'content_filter', 'function_call'])

/** The answer's message. `reasoning_content` is the one documented field for reasoning text. */
export const ChatResponseMessage = z.looseObject({
  role: z.literal('assistant'),
  content: z.string().nullable(),
  refusal: z.string().nullable().optional(),
  tool_calls: z.array(ToolCall).optional(),
  function_call: FunctionCall.optional(),
  annotations: z.array(z.looseObject({ type: z.string() })).optional(),
  audio: z.looseObject({ id: z.string() }).nullish(),
  reasoning_content: z.string().optional(),
  thinking_blocks: z.array(ThinkingBlock).optional(),
  images: z.array(z.looseObject({ type: z.string() })).optional(),
  provider_specific_fields: z.looseObject({}).optional(),
})

const Logprobs = z.looseObject({ content: z.array(z.unknown()).nullish(), refusal: z.array(z.unknown()).nullish() })

/** A whole answer, `object: "chat.completion"`. */
export const ChatCompletion = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      message: ChatResponseMessage,
      finish_reason: FinishReason,
      logprobs: Logprobs.nullable().optional(),
    }),
  ),
  usage: ChatUsage.optional(),
  service_tier: z.string().nullish(),
  system_fingerprint: z.string().nullish(),
})

/** A piece of a tool call: id and name come with the first piece of an index, then argument fragments. */
export const ToolCallDelta = z.looseObject({
  index: z.int(),
  id: z.string().optional(),
  type: z.string().optional(),
  function: z.looseObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
})

/** What one chunk adds to a choice's message. */
export const ChatDelta = z.looseObject({
  role: z.literal('assistant').optional(),
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  tool_calls: z.array(ToolCallDelta).optional(),
  function_call: z.looseObject({ name: z.string().optional(), arguments: z.string().optional() }).optional(),
  reasoning_content: z.string().optional(),
  thinking_blocks: z.array(ThinkingBlock).optional(),
})

/** One event of a streamed answer, `object: "chat.completion.chunk"`; `choices` is empty on the usage chunk. */
export const ChatChunk = z.looseObject({
  id: z.string(),
  object: z.literal('chat.completion.chunk'),
  created: z.int(),
  model: z.string(),
  choices: z.array(
    z.looseObject({
      index: z.int(),
      delta: ChatDelta,
      finish_reason: FinishReason.nullable(),
      logprobs: Logprobs.nullish(),
    }),
  ),
  usage: ChatUsage.nullish(),
  service_tier: z.string().nullish(),
  system_fingerprint: z.string().nullish(),
})

export type ContentPart = z.infer<typeof ContentPart>
export type ThinkingBlock = z.infer<typeof ThinkingBlock>
export type ToolCall = z.infer<typeof ToolCall>
export type ChatMessage = z.infer<typeof ChatMessage>
export type AssistantMessage = z.infer<typeof AssistantMessage>
export type ChatTool = z.infer<typeof ChatTool>
export type ToolChoice = z.infer<typeof ToolChoice>
export type ResponseFormat = z.infer<typeof ResponseFormat>
export type ChatRequest = z.infer<typeof ChatRequest>
export type FinishReason = z.infer<typeof FinishReason>
export type ChatResponseMessage = z.infer<typeof ChatResponseMessage>
export type ChatCompletion = z.infer<typeof ChatCompletion>
export type ToolCallDelta = z.infer<typeof ToolCallDelta>
export type ChatDelta = z.infer<typeof ChatDelta>
export type ChatChunk = z.infer<typeof ChatChunk>
