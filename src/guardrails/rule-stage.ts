import type { Clock } from '../ports.js'
import type { GuardrailMode, GuardrailVerdict } from '../ports/hooks.js'
import { refusalError, type Rule, type Scan, unavailableError } from './rule.js'
import { tooLong, toVerdict } from './run-rule.js'
import { countsOf, createRuleWindow, MatchRefusal, type ScanRun } from './scan-texts.js'
import { HoldStage, type Stage, type StreamChunk, TextStage, type TextWindow } from './stages.js'
import { type PlacedText, textsOf, type TextTree } from './texts.js'

/** How a guardrail takes part in a stream. */
export interface RuleStageParts {
  readonly mode: GuardrailMode
  readonly tree: TextTree
  /** Where what was found is added. */
  readonly verdicts: GuardrailVerdict[]
  /** Has the guardrail look at whole texts, and tells. @throws GatewayError */
  readonly judge: (texts: readonly PlacedText[]) => Promise<readonly string[]>
  /** Is given what still runs when the stream is over; it never rejects. */
  readonly later: (work: Promise<unknown>) => void
  readonly clock: Clock
}

// Of an answer that is held back or collected; a model gives a tenth of it.
const mostHeld = 4 * 1024 * 1024

/** The part of a guardrail in a stream: matches are replaced as the text comes, what needs the whole answer holds it back. */
export function createRuleStage(rule: Rule, parts: RuleStageParts): Stage<StreamChunk> {
  const { look } = rule
  if (parts.mode === 'logging_only') return new LoggingStage(rule, parts)
  if ('scan' in look) return createScanStage(rule, look.scan, parts)
  if ('mostCharacters' in look) return createLengthStage(rule, look.mostCharacters, parts)
  const { tree, judge, verdicts, mode } = parts
  return new HoldStage({
    tree,
    judge,
    mostCharacters: mostHeld,
    overflow() {
      verdicts.push({ guardrail: rule.name, type: rule.type, mode, outcome: 'failed', counts: {}, durationMs: 0 })
      if (rule.fail === 'closed')
        throw unavailableError(rule, verdicts, new Error('The answer is too long to be held back.'))
    },
  })
}

function createScanStage(rule: Rule, scan: Scan, { tree, verdicts, mode, clock }: RuleStageParts): Stage<StreamChunk> {
  const run: ScanRun = { scan, vault: undefined, acts: true, counts: new Map() }
  const startedAt = clock.now()
  const telling = (): Omit<GuardrailVerdict, 'outcome'> => ({
    guardrail: rule.name,
    type: rule.type,
    mode,
    counts: countsOf(run),
    durationMs: clock.now() - startedAt,
  })
  const guarded = (give: () => string): string => {
    try {
      return give()
    } catch (thrown) {
      if (!(thrown instanceof MatchRefusal)) throw thrown
      verdicts.push({ ...telling(), outcome: 'refused' })
      throw refusalError(rule, {
        direction: 'response',
        reason: `it contains what counts as ${thrown.label}`,
        verdicts,
      })
    }
  }
  return new TextStage({
    tree,
    createWindow(place): TextWindow {
      const window = createRuleWindow(run, place)
      return { push: (text) => guarded(() => window.push(text)), end: () => guarded(() => window.end()) }
    },
    ended: () => verdicts.push({ ...telling(), outcome: run.counts.size > 0 ? 'masked' : 'passed' }),
  })
}

function createLengthStage(rule: Rule, most: number, { tree, verdicts, mode }: RuleStageParts): Stage<StreamChunk> {
  let length = 0
  const telling = { guardrail: rule.name, type: rule.type, mode, durationMs: 0 }
  return {
    push(chunk) {
      for (const { text } of textsOf(chunk, tree)) length += text.length
      if (length <= most) return [chunk]
      const refused = tooLong(most)
      verdicts.push({ ...telling, ...toVerdict(refused, mode) })
      throw refusalError(rule, { direction: 'response', reason: `it has more than ${most} characters`, verdicts })
    },
    end() {
      verdicts.push({ ...telling, outcome: 'passed', counts: {} })
      return []
    },
  }
}

/** Lets everything pass, and looks at it when it is over. */
class LoggingStage implements Stage<StreamChunk> {
  readonly #rule: Rule
  readonly #parts: RuleStageParts
  readonly #texts = new Map<string, PlacedText>()
  #length = 0

  constructor(rule: Rule, parts: RuleStageParts) {
    this.#rule = rule
    this.#parts = parts
  }

  push(chunk: StreamChunk): readonly StreamChunk[] {
    for (const placed of textsOf(chunk, this.#parts.tree)) {
      this.#length += placed.text.length
      if (this.#length > mostHeld) break
      const key = placed.path.join('.')
      const known = this.#texts.get(key)
      this.#texts.set(key, known ? { ...known, text: known.text + placed.text } : placed)
    }
    return [chunk]
  }

  end(): readonly StreamChunk[] {
    const { later, judge, verdicts, mode } = this.#parts
    if (this.#length <= mostHeld) later(judge([...this.#texts.values()]))
    else
      verdicts.push({
        guardrail: this.#rule.name,
        type: this.#rule.type,
        mode,
        outcome: 'failed',
        counts: {},
        durationMs: 0,
      })
    return []
  }
}
