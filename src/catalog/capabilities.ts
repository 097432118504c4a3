import type { ModelCapabilities, ReasoningControl } from '../deployment.js'
import { claudeControls, claudeGeneration } from './claude-models.js'
import { findGeminiModel, geminiControls } from './gemini-models.js'
import { bareModelName } from './model-name.js'
import { openaiModelRules, reasonsAt } from './openai-models.js'
import { findOtherModel } from './other-models.js'
import { shutdownDateOf } from './shutdown-dates.js'
import { tokenLimitsOf } from './token-limits.js'

/** Everything that is known of a model, whoever serves it. */
export interface ModelProfile {
  /** `claude`, `gemini`, `openai`, or another family's name; `unknown` where nothing is known. */
  readonly family: string
  readonly tools: boolean
  readonly vision: boolean
  readonly jsonSchema: boolean
  readonly reasoning: boolean
  readonly reasoningControl: ReasoningControl
  /** A last assistant message is continued. */
  readonly assistantPrefill: boolean
  /** OpenAI parameters that are refused with any value but the default, whatever else the request says. */
  readonly refusedParameters: readonly string[]
  /** Tokens; undefined where only the context window limits an answer. */
  readonly maxOutputTokens: number | undefined
  /** Tokens. */
  readonly contextWindow: number | undefined
  /** `YYYY-MM-DD`: when the model ends, or ended, at this provider's own address. */
  readonly shutdownDate: string | undefined
}

type Known = Omit<ModelProfile, 'shutdownDate' | 'reasoning'>

/**
 * The one place to ask what a model can do. `own` is what a host says of its deployment, and wins. Newer ids of a known
 * family take its newest rule; of a model that nobody knows everything is believed.
 */
export function capabilitiesOf(provider: string, model: string, own: ModelCapabilities = {}): ModelProfile {
  const name = bareModelName(model)
  const known = ofClaude(name) ?? ofGemini(name) ?? ofOther(name) ?? ofOpenai(name) ?? unknown
  const reasoningControl = own.reasoningControl ?? controlOf(known.reasoningControl, own.reasoning)
  return {
    ...known,
    tools: own.tools ?? known.tools,
    vision: own.vision ?? known.vision,
    jsonSchema: own.jsonSchema ?? known.jsonSchema,
    reasoning: reasoningControl !== 'none',
    reasoningControl,
    assistantPrefill: own.assistantPrefill ?? known.assistantPrefill,
    refusedParameters: own.refusedParameters ?? known.refusedParameters,
    maxOutputTokens: own.maxOutputTokens ?? known.maxOutputTokens,
    contextWindow: own.contextWindow ?? known.contextWindow,
    shutdownDate: shutdownDateOf(provider, name),
  }
}

const unknown: Known = {
  family: 'unknown',
  tools: true,
  vision: true,
  jsonSchema: true,
  reasoningControl: 'effort',
  assistantPrefill: true,
  refusedParameters: [],
  maxOutputTokens: undefined,
  contextWindow: undefined,
}

function controlOf(known: ReasoningControl, reasons: boolean | undefined): ReasoningControl {
  if (reasons === false) return 'none'
  return reasons === true && known === 'none' ? 'effort' : known
}

function ofClaude(name: string): Known | undefined {
  if (!/claude|(?:^|-)(?:opus|sonnet|haiku|fable|mythos)-\d/.test(name)) return undefined
  const generation = claudeGeneration(name)
  const { tools, vision, jsonSchema, assistantPrefill, maxOutputTokens } = generation
  return {
    family: 'claude',
    tools,
    vision,
    jsonSchema,
    reasoningControl: claudeControls[generation.thinking],
    assistantPrefill,
    refusedParameters: generation.sampling === 'refused' ? ['temperature', 'top_p'] : [],
    maxOutputTokens,
    contextWindow: tokenLimitsOf('claude', name)?.contextWindow,
  }
}

function ofGemini(name: string): Known | undefined {
  if (!/^(?:gemini|gemma-|learnlm)/.test(name)) return undefined
  const row = findGeminiModel(name)
  const answers = row.writesText && !name.includes('image')
  return {
    family: 'gemini',
    tools: answers && row.systemInstruction,
    vision: row.writesText,
    jsonSchema: answers && row.systemInstruction,
    reasoningControl: geminiControls[row.thinking.kind],
    assistantPrefill: row.writesText,
    refusedParameters: row.penalties ? [] : ['presence_penalty', 'frequency_penalty'],
    maxOutputTokens: tokenLimitsOf('gemini', name)?.maxOutputTokens,
    contextWindow: tokenLimitsOf('gemini', name)?.contextWindow,
  }
}

// What these models cannot do, beyond the rules of their requests.
const openaiBlind = /^gpt-3\.5|^gpt-4(?:-\d{4}|-32k.*)?$|^o1-mini|^o1-preview|^o3-mini|audio/
const openaiFreeForm = /^gpt-3\.5|^gpt-4(?:-|$)|^o1-mini|^o1-preview|^gpt-4o-2024-05-13/
const openaiToolless = /^o1-mini|^o1-preview|search|^gpt-3\.5-turbo-instruct|^gpt-5-chat/

function ofOpenai(name: string): Known | undefined {
  const rules = openaiModelRules(name)
  if (!rules) return undefined
  return {
    family: 'openai',
    tools: !openaiToolless.test(name),
    vision: !openaiBlind.test(name),
    jsonSchema: !openaiFreeForm.test(name),
    reasoningControl: reasonsAt(rules) ? 'effort' : 'none',
    assistantPrefill: false,
    refusedParameters: rules.refused,
    maxOutputTokens: tokenLimitsOf('openai', name)?.maxOutputTokens,
    contextWindow: tokenLimitsOf('openai', name)?.contextWindow,
  }
}

function ofOther(name: string): Known | undefined {
  const row = findOtherModel(name)
  if (!row) return undefined
  const { refused, reasoning, maxOutputTokens, ...rest } = row
  return { ...rest, reasoningControl: reasoning, refusedParameters: refused, maxOutputTokens }
}
