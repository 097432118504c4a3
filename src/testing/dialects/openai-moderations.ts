import { stringOf } from '../../wire/json.js'
import { countWords } from '../conversation.js'
import { hashOf, toId } from '../hash.js'
import { RefusedRequest, type FakeCall, type Rendered } from './dialect.js'
import { textsOf } from './read.js'

const names: readonly string[] = `harassment harassment/threatening hate hate/threatening illicit illicit/violent
  self-harm self-harm/intent self-harm/instructions sexual sexual/minors violence violence/graphic`.split(/\s+/)

/** `POST /v1/moderations`: a text is flagged for each category that it names. */
export function answerModerations({ body }: FakeCall): Rendered {
  const model = stringOf(body['model'])
  if (model === undefined) throw new RefusedRequest('you must provide a model parameter')
  const { input } = body
  const texts = textsOf(input)
  // The parts of one message get one judgement.
  const judged = texts.length > 0 ? texts : Array.isArray(input) && input.length > 0 ? [JSON.stringify(input)] : []
  if (judged.length === 0) throw new RefusedRequest("Missing required parameter: 'input'.")
  const answer = { id: `modr-${toId(hashOf(judged.join('\n')))}`, model, results: judged.map(judge) }
  const promptTokens = judged.reduce((sum, text) => sum + countWords(text), 0)
  return { body: answer, tokens: { promptTokens, completionTokens: 0 } }
}

function judge(text: string): object {
  const found = names.map((name) => [name, text.toLowerCase().includes(name)] as const)
  return {
    flagged: found.some(([, isFound]) => isFound),
    categories: Object.fromEntries(found),
    category_scores: Object.fromEntries(found.map(([name, isFound]) => [name, isFound ? 0.97 : 0.01])),
    category_applied_input_types: Object.fromEntries(names.map((name) => [name, ['text']])),
  }
}
