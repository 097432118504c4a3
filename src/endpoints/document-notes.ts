import type { DocumentNotes, Glossary } from '../http/openapi/document.js'
import { version } from '../version.js'

// OpenAI's names that mean the same wherever they stand.
const glossary: Glossary = {
  model: { description: 'A name of `GET /v1/models`.', example: 'demo' },
  messages: { description: 'The conversation, oldest message first.' },
  stream: { description: 'Whether the answer comes as server-sent events.' },
  stream_options: { description: '`include_usage`: the last event tells what was used.' },
  temperature: { description: 'How much chance is in the answer, from 0 to 2.' },
  top_p: { description: 'Only tokens within this share of probability are chosen from.' },
  max_tokens: { description: 'How long the answer may get; newer models want `max_completion_tokens`.' },
  max_completion_tokens: { description: 'How long the answer may get, reasoning included.' },
  tools: { description: 'What the model may call.' },
  tool_choice: { description: '`none`, `auto`, `required`, or the tool to call.' },
  response_format: { description: 'What the answer must look like: `text`, `json_object`, or a `json_schema`.' },
  reasoning_effort: { description: 'How long the model thinks, such as `low` or `high`.' },
  thinking: { description: "Claude's way to say how long the model thinks; understood for every model that reasons." },
  stop: { description: 'Texts that end the answer.' },
  n: { description: 'How many answers are wanted.' },
  seed: { description: 'The same one gives the same answer, as far as the provider can.' },
  user: { description: 'Whom the caller asks for; a label, never an identity.' },
  metadata: { description: 'Free data. `tags` are labels of the call.', example: {} },
  prompt: { description: 'What to continue, or to draw.' },
  input: { description: 'One text, several, or their tokens.' },
  dimensions: { description: 'How long the vectors are to be.' },
  encoding_format: { description: '`float`, or `base64` of little-endian float32.' },
  size: { description: 'Width and height, such as `1024x1024`.' },
  choices: { description: 'The answers; on the last event of a stream, which tells the usage, none.' },
  finish_reason: { description: 'Why the answer ended.' },
  usage: { description: 'The tokens that were used.' },
  created: { description: 'Seconds since 1970.', example: 1_764_115_200 },
  owned_by: { description: 'Always `sluice`: who serves a model is not told.', example: 'sluice' },
  limit: { description: 'Rows of a page, at most 1,000; all of them if it is left out.' },
  after: { description: 'Where the page before ended: its `next`.' },
  next: { description: 'The `after` of the next page; null on the last one.', example: null },
  model_name: { description: 'A name of the model list.', example: 'demo' },
  top_n: { description: 'How many kinds of resources are told; 20 if it is left out.' },
  id: { description: 'Its id.', example: 'demo' },
}

/** What the document of the model API says beside its operations. */
export const modelApiNotes: DocumentNotes = {
  title: 'Sluice',
  version,
  description:
    "One OpenAI-compatible API over every provider: OpenAI's SDKs work with it as they are. Fields that are not described here reach the provider untouched.",
  tags: {
    chat: 'Conversations.',
    completions: 'Texts that go on (legacy).',
    embeddings: 'Texts as vectors.',
    images: 'Pictures.',
    moderations: 'What is harmful.',
    models: 'What the caller may use.',
    health: 'How the gateway and its deployments are.',
    debug: 'What the process holds.',
    openapi: 'This description.',
  },
  glossary,
}
