import { InvalidRequestError } from '../errors.js'
import type { LeaveSignal } from '../http/message.js'
import type { GuardrailMode, GuardrailVerdict } from '../ports/hooks.js'
import { isObject, type JsonObject } from '../wire/json.js'
import type { Operation, Operations, StreamOperation } from '../wire/operations.js'
import type { GuardedFacts, RuleInput } from './rule.js'
import { type RunParts, runRule, type Selected } from './run-rule.js'
import { type Stage, StageChain, type StreamChunk, TextStage } from './stages.js'
import { createRuleStage } from './rule-stage.js'
import { ScanWindow } from './scan-window.js'
import {
  answerTexts,
  chunkTexts,
  mapTexts,
  type PlacedText,
  requestTexts,
  textsOf,
  type TextTree,
  withTexts,
} from './texts.js'
import { Vault } from './vault.js'

/** The guardrails of one call. Use the methods in their order: `pre`, then `during` beside the call, then `post` or `stream`. */
export interface GuardedCall<K extends Operation> {
  /** What was found so far, in its order; also of what ended in a refusal. */
  readonly verdicts: readonly GuardrailVerdict[]
  /** The request as `pre` left it; undefined where a guardrail refused it or could not tell. */
  readonly passed: Operations[K]['request'] | undefined
  /** A text of the answer as it may be kept: what the request hid is hidden in it. */
  conceal(text: string): string
  /** False where `during` has nothing to do. */
  readonly hasDuring: boolean
  /** False where answers pass as they are: no guardrail looks at them, and nothing of the request was hidden. */
  readonly guardsAnswer: boolean
  /**
   * The request to go on with; the very object where nothing changed.
   * @throws GatewayError content_policy (code `guardrail_refused`) or unavailable (`guardrail_unavailable`)
   * @throws InvalidRequestError for tokens in place of text
   */
  pre(signal?: LeaveSignal): Promise<Operations[K]['request']>
  /** Looks at the request that `pre` gave. @throws as `pre` */
  during(signal?: LeaveSignal): Promise<void>
  /** The answer to give; the very object where nothing changed. @throws as `pre` */
  post(answer: Operations[K]['response'], signal?: LeaveSignal): Promise<Operations[K]['response']>
  /** What a stream passes through, chunk by chunk; undefined where chunks pass as they are. Its methods throw as `pre`. */
  stream(signal?: LeaveSignal): Stage<Operations[K]['chunk']> | undefined
  /** Resolves once guardrails that only log have told what they found; never rejects. */
  settled(): Promise<void>
}

/** What a call is guarded with. */
export interface GuardedParts<K extends Operation> extends RunParts {
  readonly operation: K
  readonly request: Operations[K]['request']
  readonly facts: GuardedFacts
  readonly selected: readonly Selected[]
}

/** A call whose guardrails have been chosen. */
export class OpenGuardedCall<K extends Operation> implements GuardedCall<K> {
  readonly verdicts: GuardrailVerdict[] = []
  readonly #parts: GuardedParts<K>
  readonly #vault: Vault
  readonly #logging: Promise<unknown>[] = []
  readonly #written: 'plain' | 'json'
  passed: Operations[K]['request'] | undefined
  #request: Operations[K]['request']

  constructor(parts: GuardedParts<K>) {
    this.#parts = parts
    this.#request = parts.request
    const texts = textsOf(parts.request, requestTexts[parts.operation])
    this.#vault = new Vault(texts.map(({ text }) => text))
    this.#written = isJsonWanted(parts.request) ? 'json' : 'plain'
  }

  get hasDuring(): boolean {
    return this.#rulesOf('during_call').length > 0
  }

  get guardsAnswer(): boolean {
    return !this.#vault.isEmpty || this.#rulesOf('post_call', 'logging_only').length > 0
  }

  async pre(signal?: LeaveSignal): Promise<Operations[K]['request']> {
    const tree = requestTexts[this.#parts.operation]
    requireText(this.#parts.operation, this.#request)
    const keep = (request: Operations[K]['request']): void => void (this.#request = request)
    await this.#apply(this.#request, { mode: 'pre_call', direction: 'request', tree, signal, keep })
    this.passed = this.#request
    return this.#request
  }

  conceal(text: string): string {
    return this.#vault.isEmpty ? text : this.#vault.conceal(text)
  }

  async during(signal?: LeaveSignal): Promise<void> {
    const texts = textsOf(this.#request, requestTexts[this.#parts.operation])
    // Side by side: none of them changes anything.
    const looks = this.#rulesOf('during_call').map((selected) =>
      this.#run(selected, 'during_call', { texts, direction: 'request', signal }),
    )
    await Promise.all(looks).catch((thrown: unknown) => {
      this.passed = undefined
      throw thrown
    })
  }

  async post(answer: Operations[K]['response'], signal?: LeaveSignal): Promise<Operations[K]['response']> {
    const tree = answerTexts(this.#parts.operation, this.#written)
    const guarded = await this.#apply(answer, { mode: 'post_call', direction: 'response', tree, signal })
    if (this.#vault.isEmpty) return withoutLogprobs(guarded, answer)
    const shown = mapTexts(guarded, tree, (text, { json }) => {
      const window = this.#showing(json)
      return window.push(text) + window.end()
    })
    return withoutLogprobs(shown, answer)
  }

  stream(signal?: LeaveSignal): Stage<Operations[K]['chunk']> | undefined {
    if (!this.guardsAnswer || !isStreamed(this.#parts.operation)) return undefined
    const tree = chunkTexts(this.#parts.operation, this.#written)
    const stages = this.#parts.selected.flatMap((selected): Stage<StreamChunk>[] => {
      const { modes } = selected.rule
      const guarding = (['logging_only', 'post_call'] as const).filter((mode) => modes.has(mode))
      return guarding.map((mode) =>
        createRuleStage(selected.rule, {
          mode,
          tree,
          verdicts: this.verdicts,
          judge: (texts) => this.#run(selected, mode, { texts, direction: 'response', signal }),
          later: (work) => this.#logging.push(work),
          clock: this.#parts.clock,
        }),
      )
    })
    if (!this.#vault.isEmpty) stages.push(new TextStage({ tree, createWindow: ({ json }) => this.#showing(json) }))
    // Chunks come from this operation, and stages give what they get.
    return new StageChain(stages) as Stage<Operations[K]['chunk']>
  }

  async settled(): Promise<void> {
    await Promise.all(this.#logging)
  }

  /** In the order of the options: what one guardrail has hidden, the next one does not see. */
  async #apply<T>(value: T, { mode, direction, tree, signal, keep }: Application<T>): Promise<T> {
    let current = value
    for (const selected of this.#rulesOf(mode, 'logging_only')) {
      const looked = { texts: textsOf(current, tree), direction }
      // Guardrails that only log keep nobody waiting.
      if (selected.rule.modes.has('logging_only')) {
        this.#logging.push(this.#run(selected, 'logging_only', { ...looked, signal: undefined }))
      }
      if (!selected.rule.modes.has(mode)) continue
      current = withTexts(current, tree, await this.#run(selected, mode, { ...looked, signal }))
      keep?.(current)
    }
    return current
  }

  #run(
    { rule, extra }: Selected,
    mode: GuardrailMode,
    { texts, direction, signal }: Looked,
  ): Promise<readonly string[]> {
    const { facts } = this.#parts
    const input = { texts, direction, request: this.#request, facts, extra }
    const vault = direction === 'request' && mode === 'pre_call' ? this.#vault : undefined
    return runRule(rule, { mode, input, vault, signal, verdicts: this.verdicts }, this.#parts)
  }

  #rulesOf(...modes: readonly GuardrailMode[]): readonly Selected[] {
    return this.#parts.selected.filter(({ rule }) => modes.some((mode) => rule.modes.has(mode)))
  }

  #showing(json: boolean): ScanWindow {
    return new ScanWindow([this.#vault.scanner], (placeholder) => this.#vault.show(placeholder, { json }))
  }
}

interface Looked {
  readonly texts: readonly PlacedText[]
  readonly direction: RuleInput['direction']
  readonly signal: LeaveSignal | undefined
}

interface Application<T> {
  readonly mode: GuardrailMode
  readonly direction: RuleInput['direction']
  readonly tree: TextTree
  readonly signal: LeaveSignal | undefined
  /** Told of every change at once. */
  readonly keep?: (value: T) => void
}

/** Tokens in place of text would pass every guardrail unseen. */
function requireText(operation: Operation, request: JsonObject): void {
  // The parts of a message are read one by one.
  const isRead = (entry: unknown): boolean =>
    typeof entry === 'string' || (operation === 'moderations' && isObject(entry))
  for (const name of ['prompt', 'input']) {
    const value = request[name]
    if (Array.isArray(value) && !value.every(isRead)) {
      throw new InvalidRequestError(`${name} must be text, as guardrails cannot read tokens.`, name)
    }
  }
}

function isStreamed(operation: Operation): operation is StreamOperation {
  return operation === 'chat' || operation === 'completions'
}

/** `json_object` or `json_schema`: what is shown again must then be written as JSON writes it. */
function isJsonWanted({ response_format: format }: JsonObject): boolean {
  return isObject(format) && typeof format['type'] === 'string' && format['type'].startsWith('json')
}

/** Tokens of a text that was changed tell what it was. */
function withoutLogprobs<T>(answer: T, original: T): T {
  if (answer === original || !isObject(answer) || !Array.isArray(answer['choices'])) return answer
  const choices = answer['choices'].map((choice: unknown) =>
    isObject(choice) && choice['logprobs'] ? { ...choice, logprobs: null } : choice,
  )
  return { ...answer, choices }
}
