import { GatewayError } from '../errors.js'
import { isObject, type JsonObject } from '../wire/json.js'
import { blocksOf, callsOf, callText, indexOf, type SentAnswer, type SentChoice, textMembers } from './sent-answer.js'

const differs = 'stream_restart_mismatch'

/** True for the error of an answer that was asked for anew and said something else. */
export function isMismatch({ code }: GatewayError): boolean {
  return code === differs
}

function mismatch(): GatewayError {
  return new GatewayError(
    'stream_truncated',
    'The answer broke off, and the answer that was asked for anew differs from what had already been sent.',
    { code: differs },
  )
}

/** Takes what the client has already out of an answer that was begun anew. */
export class Replay {
  readonly #choices = new Map<number, ChoiceReplay>()

  constructor(sent: SentAnswer) {
    for (const [index, choice] of sent.choices) this.#choices.set(index, new ChoiceReplay(choice))
  }

  /**
   * The choice without what the client has; undefined where nothing is left. Its log probabilities are left out where
   * a part of their text is.
   * @throws GatewayError where it says something else
   */
  trim(choice: JsonObject): JsonObject | undefined {
    const replay = this.#choices.get(indexOf(choice))
    return replay ? replay.trim(choice) : choice
  }

  /** @throws GatewayError where the answer ended before it had said everything that the client has */
  end(): void {
    for (const choice of this.#choices.values()) choice.end()
  }
}

/** One choice of an answer that was begun anew. */
class ChoiceReplay {
  readonly #sent: SentChoice
  readonly #positions = new Map<string, number>()
  #owed = 0
  #blocks: number

  constructor(sent: SentChoice) {
    this.#sent = sent
    this.#blocks = sent.blocks
    for (const text of sent.texts.values()) this.#owed += text.length
  }

  end(): void {
    if (this.#owed > 0) throw mismatch()
  }

  trim(choice: JsonObject): JsonObject | undefined {
    const owed = this.#owed
    const { text, delta, logprobs, finish_reason: finish, ...others } = choice
    const rest = {
      ...others,
      ...(typeof text === 'string' && { text: this.#rest('text', text) }),
      ...(isObject(delta) && { delta: this.#trimDelta(delta) }),
      ...(owed === this.#owed && logprobs !== undefined && { logprobs }),
    }
    const isEmpty = !rest.text && Object.keys(rest.delta ?? {}).length === 0
    if (!finish) return isEmpty ? undefined : { ...rest, finish_reason: null }
    this.end()
    if (this.#sent.finish === undefined) return { ...rest, finish_reason: finish }
    if (!isEmpty || this.#sent.finish !== finish) throw mismatch()
    return undefined
  }

  #trimDelta(delta: JsonObject): JsonObject {
    const { role: _, tool_calls: _calls, thinking_blocks: _blocks, ...others } = delta
    const rest: Record<string, unknown> = others
    for (const name of textMembers) {
      const piece = delta[name]
      if (typeof piece !== 'string') continue
      const text = this.#rest(name, piece)
      if (text === '') delete rest[name]
      else rest[name] = text
    }
    const calls = callsOf(delta).flatMap((call) => this.#trimCall(call))
    if (calls.length > 0) rest['tool_calls'] = calls
    const blocks = this.#newBlocks(blocksOf(delta))
    if (blocks.length > 0) rest['thinking_blocks'] = blocks
    return rest
  }

  /** Ids of calls that the client knows stay as they were. */
  #trimCall(call: JsonObject): readonly JsonObject[] {
    const called = isObject(call['function']) ? call['function'] : {}
    const rest: Record<string, string> = {}
    for (const member of ['name', 'arguments'] as const) {
      const piece = called[member]
      const text = typeof piece === 'string' ? this.#rest(callText(call, member), piece) : ''
      if (text !== '') rest[member] = text
    }
    if (!this.#sent.callIndexes.has(indexOf(call))) return [call]
    return Object.keys(rest).length === 0 ? [] : [{ index: indexOf(call), function: rest }]
  }

  #newBlocks(blocks: readonly JsonObject[]): readonly JsonObject[] {
    const known = Math.min(this.#blocks, blocks.length)
    this.#blocks -= known
    return blocks.slice(known)
  }

  #rest(name: string, piece: string): string {
    const sent = this.#sent.texts.get(name) ?? ''
    const position = this.#positions.get(name) ?? 0
    const length = Math.min(piece.length, sent.length - position)
    if (!sent.startsWith(piece.slice(0, length), position)) throw mismatch()
    this.#positions.set(name, position + length)
    this.#owed -= length
    const rest = piece.slice(length)
    // Something new before everything old has come: another order is another answer.
    if (rest !== '') this.end()
    return rest
  }
}
