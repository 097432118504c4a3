import { violations, type OpenAiSchema } from '../oracle/openai-schema.js'

/** A place where an answer may differ from OpenAI's published schema. */
interface OracleException {
  readonly schemas: readonly OpenAiSchema[]
  readonly violation: RegExp
  readonly reason: string
}

const chatSchemas: readonly OpenAiSchema[] = ['CreateChatCompletionResponse', 'CreateChatCompletionStreamResponse']

/** The whole list. */
export const oracleExceptions: readonly OracleException[] = [
  {
    schemas: [...chatSchemas, 'CreateCompletionResponse'],
    violation: /^\/system_fingerprint must be string$/,
    reason: 'OpenAI itself sends null, which its schema does not allow',
  },
  {
    schemas: chatSchemas,
    violation: /^\/service_tier must /,
    reason: "the tier is the provider's own word (Groq: on_demand); it says what was billed, so it is kept",
  },
  {
    schemas: chatSchemas,
    violation: /\/message\/audio(?:\/(?:expires_at|transcript))? must /,
    reason: 'Xiaomi gives audio without an expiry or a transcript; neither can be made up',
  },
  {
    schemas: chatSchemas,
    violation: /\/delta\/tool_calls\/\d+\/type must be equal to one of the allowed values \["function"\]$/,
    reason: 'OpenAI streams calls of custom tools as well, which its schema lists for whole answers only',
  },
  {
    schemas: ['ImagesResponse'],
    violation: /^\/size must be equal to one of the allowed values/,
    reason: 'newer image models of OpenAI give sizes that its schema does not list',
  },
  {
    schemas: chatSchemas,
    violation: /\/url_citation\/url must match format "uri"$/,
    reason: 'Google gives addresses with spaces, kept as they are',
  },
  {
    schemas: chatSchemas,
    violation: /\/annotations\/\d+(?:\/type must be equal|.* must have required property 'url_citation')/,
    reason: 'OpenRouter has annotations of type file, kept as they are for the next request',
  },
]

/** The findings of OpenAI's schema about an answer, without the excepted ones. */
export function violationsOf(schema: OpenAiSchema, value: unknown): readonly string[] {
  return violations(schema, value).filter(
    (line) => !oracleExceptions.some((known) => known.schemas.includes(schema) && known.violation.test(line)),
  )
}
