import type { PlainTurn } from './plain-text.js'

/** Writes a conversation as the one text that a model continues. */
export type PromptTemplate = (turns: readonly PlainTurn[]) => string

// The templates that the models were trained on, as their makers publish them; a model of no known family gets labels.
const templates: readonly (readonly [RegExp, PromptTemplate])[] = [
  [/llama-?(?:3|4|guard-3)/i, llama3],
  [/llama-?2|codellama/i, llama2],
  [/mistral|mixtral|codestral/i, mistral],
  [/granite-(?:[34]|\d+b-code)|granite-3/i, granite],
  [/granite/i, olderGranite],
  [/qwen|yi-|hermes|chatml|smollm/i, chatMl],
  [/-control\b/i, instruction],
]

/** A conversation as a prompt for a model; a single turn of the user to a model of no known family is the prompt. */
export function toPrompt(turns: readonly PlainTurn[], model: string): string {
  const [only] = turns
  const known = templates.find(([pattern]) => pattern.test(model))?.[1]
  if (known) return known(turns)
  return turns.length === 1 && only?.role === 'user' ? only.text : labelled(turns)
}

const names = { system: 'System', user: 'User', assistant: 'Assistant' } as const

/** Turns with the name of who speaks, and room for the answer. */
export function labelled(turns: readonly PlainTurn[]): string {
  return [...turns.map(({ role, text }) => `${names[role]}: ${text}`), 'Assistant:'].join('\n\n')
}

function llama3(turns: readonly PlainTurn[]): string {
  const header = (role: string): string => `<|start_header_id|>${role}<|end_header_id|>\n\n`
  const said = turns.map(({ role, text }) => `${header(role)}${text}<|eot_id|>`).join('')
  return `<|begin_of_text|>${said}${header('assistant')}`
}

function llama2(turns: readonly PlainTurn[]): string {
  const system = systemText(turns)
  const instructions = system === '' ? '' : `<<SYS>>\n${system}\n<</SYS>>\n\n`
  return bracketed(turns, instructions)
}

function mistral(turns: readonly PlainTurn[]): string {
  const system = systemText(turns)
  return bracketed(turns, system === '' ? '' : `${system}\n\n`)
}

/** `[INST] … [/INST]` around what the user says; the instructions go into the first of them. */
function bracketed(turns: readonly PlainTurn[], instructions: string): string {
  let opening = instructions
  const said = turns.flatMap(({ role, text }) => {
    if (role === 'system') return []
    if (role === 'assistant') return [` ${text}</s>`]
    const turn = `<s>[INST] ${opening}${text} [/INST]`
    opening = ''
    return [turn]
  })
  return said.join('')
}

function granite(turns: readonly PlainTurn[]): string {
  const start = (role: string): string => `<|start_of_role|>${role}<|end_of_role|>`
  const said = turns.map(({ role, text }) => `${start(role)}${text}<|end_of_text|>\n`).join('')
  return `${said}${start('assistant')}`
}

function olderGranite(turns: readonly PlainTurn[]): string {
  return `${turns.map(({ role, text }) => `<|${role}|>\n${text}\n`).join('')}<|assistant|>\n`
}

function chatMl(turns: readonly PlainTurn[]): string {
  const said = turns.map(({ role, text }) => `<|im_start|>${role}\n${text}<|im_end|>\n`).join('')
  return `${said}<|im_start|>assistant\n`
}

function instruction(turns: readonly PlainTurn[]): string {
  const system = systemText(turns)
  const others = turns.filter(({ role }) => role !== 'system')
  const input = others.length === 1 ? (others[0]?.text ?? '') : labelled(others).replace(/\n\nAssistant:$/, '')
  return `${system === '' ? '' : `### Instruction:\n${system}\n\n`}### Input:\n${input}\n\n### Response:`
}

function systemText(turns: readonly PlainTurn[]): string {
  return turns
    .filter(({ role }) => role === 'system')
    .map(({ text }) => text)
    .join('\n\n')
}
