import { GatewayError } from '../errors.js'
import type { LeaveSignal } from '../http/message.js'
import type { Clock, Logger } from '../ports.js'
import type { GuardrailMode, GuardrailVerdict } from '../ports/hooks.js'
import type { JsonObject } from '../wire/json.js'
import { type Judgement, passed, refusalError, type Rule, type RuleInput, unavailableError } from './rule.js'
import { type ScanRun, scanTexts } from './scan-texts.js'
import type { Vault } from './vault.js'
import { withinDeadline } from './within-deadline.js'

/** A guardrail that takes part in a call, and what the request adds for it. */
export interface Selected {
  readonly rule: Rule
  readonly extra: JsonObject | undefined
}

/** What guardrails run with. */
export interface RunParts {
  readonly clock: Clock
  readonly logger: Logger
  /** Lets other work of the process go on. */
  readonly pause: () => Promise<void>
}

/** One look of one guardrail. */
export interface RuleRun {
  readonly mode: GuardrailMode
  readonly input: RuleInput
  /** Where a request's matches are hidden to be shown again. */
  readonly vault: Vault | undefined
  readonly signal: LeaveSignal | undefined
  /** Where what was found is added. */
  readonly verdicts: GuardrailVerdict[]
}

/**
 * Lets a guardrail look, and gives the texts to go on with.
 * @throws GatewayError content_policy where it refuses, unavailable where it cannot tell and fails closed; never in the
 * mode `logging_only`
 */
export async function runRule(rule: Rule, run: RuleRun, parts: RunParts): Promise<readonly string[]> {
  const { mode, input, verdicts } = run
  const startedAt = parts.clock.now()
  const telling = { guardrail: rule.name, type: rule.type, mode }
  const durationMs = (): number => parts.clock.now() - startedAt
  const texts = input.texts.map(({ text }) => text)
  try {
    const judgement = await look(rule, run, parts)
    verdicts.push({ ...telling, ...toVerdict(judgement, mode), durationMs: durationMs() })
    if (mode === 'logging_only' || judgement.outcome === 'passed') return texts
    if (judgement.outcome === 'refused') {
      throw refusalError(rule, { direction: input.direction, reason: judgement.reason, verdicts })
    }
    return judgement.texts
  } catch (thrown) {
    if (GatewayError.isInstance(thrown) && (thrown.code === 'guardrail_refused' || isCallersOwn(thrown))) throw thrown
    verdicts.push({ ...telling, outcome: 'failed', counts: {}, durationMs: durationMs() })
    parts.logger.warn({ error: thrown, guardrail: rule.name, mode }, 'A guardrail could not tell.')
    if (mode === 'logging_only' || rule.fail === 'open') return texts
    throw unavailableError(rule, verdicts, thrown)
  }
}

/** A caller that may spend nothing more could not have made the call either. */
function isCallersOwn({ kind }: GatewayError): boolean {
  return kind === 'budget_exceeded'
}

function look({ look: way, deadlineMs }: Rule, run: RuleRun, parts: RunParts): Promise<Judgement> | Judgement {
  const { input, mode, vault, signal } = run
  const { clock, pause } = parts
  if ('mostCharacters' in way) return lengthOf(input) > way.mostCharacters ? tooLong(way.mostCharacters) : passed
  if ('judge' in way) {
    return withinDeadline((own) => way.judge(input, own), { milliseconds: deadlineMs, clock, signal })
  }
  const scanRun: ScanRun = {
    scan: way.scan,
    vault: way.scan.isReversible ? vault : undefined,
    acts: mode !== 'logging_only',
    counts: new Map(),
  }
  return scanTexts(input, scanRun, { clock, pause, deadlineMs })
}

function lengthOf({ texts }: RuleInput): number {
  return texts.reduce((sum, { text }) => sum + text.length, 0)
}

/** More text than a guardrail allows. */
export function tooLong(most: number): Judgement {
  return { outcome: 'refused', reason: `it has more than ${most} characters`, counts: { too_long: 1 } }
}

/** What the log is told of a judgement. */
export function toVerdict(
  judgement: Judgement,
  mode: GuardrailMode,
): Pick<GuardrailVerdict, 'outcome' | 'counts' | 'reason'> {
  if (judgement.outcome === 'passed') return { outcome: 'passed', counts: {} }
  const { counts } = judgement
  const reason = judgement.outcome === 'refused' ? judgement.note : undefined
  // Beside the call it is too late to change the request.
  const isOnlyTold = mode === 'logging_only' || (mode === 'during_call' && judgement.outcome === 'masked')
  return {
    outcome: isOnlyTold ? 'flagged' : judgement.outcome,
    counts,
    ...(reason !== undefined && { reason }),
  }
}
