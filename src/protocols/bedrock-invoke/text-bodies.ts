import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import type { Take } from '../parameter-table.js'
import { labelled } from '../prompt-template.js'
import type { PlainTurn } from '../plain-text.js'
import { stopList } from '../text-answer.js'

/** A piece of text of one choice; `finish` is the model's word for why it ended. */
interface TextPiece {
  readonly index: number
  readonly text: string
  readonly finish: string | undefined
}

/** Tokens as far as a body tells them. */
export interface TextCounts {
  readonly prompt?: number | undefined
  readonly completion?: number | undefined
}

/** How one vendor's models continue a text on InvokeModel. */
export interface TextBody {
  readonly parameters: Readonly<Record<string, Take>>
  write(prompt: string, members: JsonObject): JsonObject
  /** Pieces of a whole answer, or of one event of a stream. */
  read(payload: JsonObject): readonly TextPiece[]
  readonly counts?: (payload: JsonObject) => TextCounts
  /** A conversation as the vendor's prompt; by the model's family where it is not given. */
  readonly prompt?: (turns: readonly PlainTurn[]) => string
  /** False where the model answers only at once. */
  readonly streams?: boolean
  /** Members that tell the model to stream. */
  readonly streaming?: JsonObject
}

const piece = (text: unknown, finish: unknown, index: unknown = 0): TextPiece => ({
  index: numberOf(index) ?? 0,
  text: stringOf(text) ?? '',
  finish: stringOf(finish),
})

function list(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

const sampling = { temperature: 'temperature', top_p: 'top_p' } as const

function humanAndAssistant(turns: readonly PlainTurn[]): string {
  const names = { system: '', user: '\n\nHuman: ', assistant: '\n\nAssistant: ' } as const
  return `${turns.map(({ role, text }) => `${names[role]}${text}`).join('')}\n\nAssistant:`
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-anthropic-claude-text-completion.html
const claudeText: TextBody = {
  parameters: {
    ...sampling,
    max_tokens: 'max_tokens_to_sample',
    stop: (stop) => ({ stop_sequences: stopList(stop) }),
  },
  write: (prompt, members) => ({ max_tokens_to_sample: 4096, ...members, prompt }),
  read: ({ completion, stop_reason }) => [piece(completion, stop_reason)],
  prompt: humanAndAssistant,
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html
const titan: TextBody = {
  parameters: {
    max_tokens: 'maxTokenCount',
    stop: (stop) => ({ stopSequences: stopList(stop) }),
    temperature: 'temperature',
    top_p: 'topP',
  },
  write: (inputText, { textGenerationConfig, ...members }) => ({
    inputText,
    textGenerationConfig: { ...members, ...(isObject(textGenerationConfig) && textGenerationConfig) },
  }),
  read(payload) {
    const blocked = payload['amazon-bedrock-guardrailAction'] === 'INTERVENED' ? 'guardrail_intervened' : undefined
    if (!Array.isArray(payload['results'])) {
      return [piece(payload['outputText'], payload['completionReason'] ?? blocked, payload['index'])]
    }
    return list(payload['results']).map((result, index) =>
      piece(result['outputText'], result['completionReason'] ?? blocked, index),
    )
  },
  counts: ({ inputTextTokenCount, totalOutputTextTokenCount, results }) => ({
    prompt: numberOf(inputTextTokenCount),
    completion:
      numberOf(totalOutputTextTokenCount) ??
      (Array.isArray(results)
        ? list(results).reduce((sum, { tokenCount }) => sum + (numberOf(tokenCount) ?? 0), 0)
        : undefined),
  }),
  prompt: (turns) => (turns.length === 1 ? (turns[0]?.text ?? '') : labelled(turns)),
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-meta.html
const llama: TextBody = {
  parameters: { ...sampling, max_tokens: 'max_gen_len' },
  write: (prompt, members) => ({ ...members, prompt }),
  read: ({ generation, stop_reason }) => [piece(generation, stop_reason)],
  counts: ({ prompt_token_count, generation_token_count }) => ({
    prompt: numberOf(prompt_token_count),
    completion: numberOf(generation_token_count),
  }),
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-mistral-text-completion.html
const mistral: TextBody = {
  parameters: { ...sampling, max_tokens: 'max_tokens', stop: (stop) => ({ stop: stopList(stop) }) },
  write: (prompt, members) => ({ ...members, prompt }),
  read: ({ outputs }) => list(outputs).map(({ text, stop_reason }, index) => piece(text, stop_reason, index)),
}

const cohereParameters = {
  max_tokens: 'max_tokens',
  stop: (stop: unknown) => ({ stop_sequences: stopList(stop) }),
  temperature: 'temperature',
  top_p: 'p',
} as const

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command.html
const command: TextBody = {
  parameters: { ...cohereParameters, n: 'num_generations' },
  write: (prompt, members) => ({ ...members, prompt }),
  read(payload) {
    if (Array.isArray(payload['generations'])) {
      return list(payload['generations']).map(({ text, finish_reason }, index) => piece(text, finish_reason, index))
    }
    return [piece(payload['text'], payload['finish_reason'], payload['index'])]
  },
  streaming: { stream: true },
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-command-r-plus.html
const commandR: TextBody = {
  parameters: cohereParameters,
  write: (message, members) => ({ ...members, message }),
  read({ text, finish_reason, response }) {
    return [piece(text, isObject(response) ? response['finish_reason'] : finish_reason)]
  },
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-jurassic2.html
const jurassic: TextBody = {
  parameters: {
    frequency_penalty: (scale) => ({ frequencyPenalty: { scale } }),
    max_tokens: 'maxTokens',
    n: 'numResults',
    presence_penalty: (scale) => ({ presencePenalty: { scale } }),
    stop: (stop) => ({ stopSequences: stopList(stop) }),
    temperature: 'temperature',
    top_p: 'topP',
  },
  write: (prompt, members) => ({ ...members, prompt }),
  read: ({ completions }) =>
    list(completions).map(({ data, finishReason }, index) =>
      piece(
        isObject(data) ? data['text'] : undefined,
        isObject(finishReason) ? finishReason['reason'] : undefined,
        index,
      ),
    ),
  streams: false,
}

// https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-deepseek.html
const deepseek: TextBody = {
  parameters: { ...sampling, max_tokens: 'max_tokens', stop: (stop) => ({ stop: stopList(stop) }) },
  write: (prompt, members) => ({ ...members, prompt }),
  read: ({ choices }) =>
    list(choices).map(({ text, stop_reason, finish_reason }, index) =>
      piece(text, stop_reason ?? finish_reason, index),
    ),
  prompt: (turns) => {
    const names = { system: '', user: '<｜User｜>', assistant: '<｜Assistant｜>' } as const
    const said = turns.map(({ role, text }) => `${names[role]}${text}`).join('')
    return `<｜begin▁of▁sentence｜>${said}<｜Assistant｜><think>\n`
  },
}

/** The bodies by the names that a deployment's model id leads to. */
export const textBodies = {
  claude_text: claudeText,
  command,
  command_r: commandR,
  deepseek,
  jurassic,
  llama,
  mistral,
  titan,
} as const satisfies Readonly<Record<string, TextBody>>
