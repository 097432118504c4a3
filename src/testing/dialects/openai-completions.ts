import { numberOf, stringOf, type JsonObject } from '../../wire/json.js'
import { compose, type ComposedChoice, type Composition } from '../compose.js'
import { countWords } from '../conversation.js'
import { created, RefusedRequest, type FakeCall, type FakeEvent, type Rendered } from './dialect.js'
import { toUsage } from './openai-chat.js'
import { choicesOf, objectOf, textsOf } from './read.js'

/** `POST /v1/completions`: one choice per prompt and `n`, in the order of the prompts. */
export function answerCompletions({ body, plan, script }: FakeCall): Rendered {
  const model = stringOf(body['model'])
  if (model === undefined) throw new RefusedRequest('you must provide a model parameter')
  const prompts = promptsOf(body['prompt'])
  const compositions = prompts.map((prompt) => compose(toConversation(model, prompt, body), plan, script))
  const merged = merge(model, compositions, body['echo'] === true ? prompts : undefined, choicesOf(body['n']))
  if (body['stream'] !== true) {
    return { body: wholeAnswer(merged, plan, typeof body['logprobs'] === 'number'), tokens: merged }
  }
  const includeUsage = objectOf(body, 'stream_options')['include_usage'] === true && !plan.noUsage
  const events = chunksOf(merged, includeUsage)
  return { events, contentType: 'text/event-stream; charset=utf-8', tokens: merged }
}

function promptsOf(prompt: unknown): string[] {
  const texts = textsOf(prompt)
  if (texts.length > 0) return texts
  if (!Array.isArray(prompt) || prompt.length === 0) throw new RefusedRequest("Missing required parameter: 'prompt'.")
  // Token numbers stand for themselves.
  return Array.isArray(prompt[0]) ? prompt.map((tokens: unknown) => String(tokens)) : [prompt.join(' ')]
}

function toConversation(model: string, prompt: string, body: JsonObject) {
  return {
    model,
    userText: prompt,
    toolResult: undefined,
    promptTokens: countWords(prompt),
    tools: [],
    toolChoice: 'none' as const,
    maxTokens: numberOf(body['max_tokens']),
    stop: textsOf(body['stop']),
    jsonSchema: undefined,
    reasoning: false,
    choices: choicesOf(body['n']),
  }
}

function merge(
  model: string,
  compositions: readonly Composition[],
  echoed: readonly string[] | undefined,
  perPrompt: number,
): Composition {
  const choices = compositions.flatMap((composition) => composition.choices)
  const withEcho = choices.map((choice, index): ComposedChoice => {
    const prompt = echoed?.[Math.floor(index / perPrompt)]
    return prompt === undefined ? choice : { ...choice, pieces: [prompt, ...choice.pieces] }
  })
  const sum = (key: 'promptTokens' | 'completionTokens') => compositions.reduce((total, one) => total + one[key], 0)
  const id = compositions[0]?.id ?? ''
  const counts = { promptTokens: sum('promptTokens'), completionTokens: sum('completionTokens') }
  return { id, model, choices: withEcho, reasoning: [], ...counts }
}

function wholeAnswer(
  composition: Composition,
  plan: { readonly noFinish?: true; readonly noUsage?: true },
  logprobs: boolean,
): JsonObject {
  return {
    id: `cmpl-${composition.id}`,
    object: 'text_completion',
    created,
    model: composition.model,
    choices: composition.choices.map((choice, index) => ({
      index,
      text: choice.pieces.join(''),
      logprobs: logprobs ? toLogprobs(choice.pieces) : null,
      finish_reason: plan.noFinish ? null : finishReason(choice),
    })),
    ...(!plan.noUsage && { usage: toUsage(composition) }),
  }
}

function toLogprobs(pieces: readonly string[]): JsonObject {
  let offset = 0
  const offsets = pieces.map((piece) => {
    offset += piece.length
    return offset - piece.length
  })
  return { tokens: pieces, token_logprobs: pieces.map(() => -0.125), top_logprobs: null, text_offset: offsets }
}

function* chunksOf(composition: Composition, includeUsage: boolean): Generator<FakeEvent> {
  const base = { id: `cmpl-${composition.id}`, object: 'text_completion', created, model: composition.model }
  const frame = (choices: readonly JsonObject[], usage: JsonObject | null) =>
    `data: ${JSON.stringify({ ...base, choices, ...(includeUsage && { usage }) })}\n\n`
  for (const [index, choice] of composition.choices.entries()) {
    for (const text of choice.pieces) {
      yield { kind: 'content', frame: frame([{ index, text, logprobs: null, finish_reason: null }], null) }
    }
    const last = { index, text: '', logprobs: null, finish_reason: finishReason(choice) }
    yield { kind: 'finish', frame: frame([last], null) }
  }
  if (includeUsage) yield { kind: 'start', frame: frame([], toUsage(composition)) }
  yield { kind: 'done', frame: 'data: [DONE]\n\n' }
}

function finishReason(choice: ComposedChoice): string {
  return choice.finish === 'length' ? 'length' : 'stop'
}
