import type { Answer } from '../answer.js'
import { at, objectsIn, textOf } from '../exchange.js'
import type { FurtherDialect } from './dialect.js'

/** Google's PaLM API, of which only answers were recorded. */
export const palm: FurtherDialect = {
  request: (_exchange, { operation }) =>
    operation === 'embeddings' ? { input: 'hi' } : { messages: [{ role: 'user', content: 'hi' }] },
  answer: readPalmAnswer,
  data: (recorded) => [{ embedding: at(recorded, 'embedding', 'value') }],
  model: ({ entry }) => (entry.api === 'palm.generateMessage' ? 'chat-bison-001' : 'text-bison-001'),
  equivalences: [],
}

/** Reads an answer of Google's PaLM API, which counts no tokens and gives no reason for its end. */
function readPalmAnswer([answer]: readonly unknown[]): Answer {
  const texts = objectsIn(at(answer, 'candidates')).map(({ output, content }) => textOf(output) + textOf(content))
  const choices = texts.map(
    (text, index) => [index, { text, reasoning: '', images: 0, toolCalls: [], finish: 'stop' }] as const,
  )
  return { choices: new Map(choices), usage: undefined }
}
