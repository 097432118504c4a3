import { setImmediate } from 'node:timers/promises'
import type { Clock, Logger } from '../ports.js'
import type { Operation, Operations } from '../wire/operations.js'
import { createRule, type RuleParts } from './create-rules.js'
import { type GuardedCall, OpenGuardedCall } from './guarded-call.js'
import type { GuardrailOptions } from './options.js'
import type { GuardedFacts } from './rule.js'
import { selectRules } from './select.js'

/** The guardrails of one gateway. */
export interface Guardrails {
  /**
   * The guardrails of a call; undefined, at once, where none takes part.
   * @throws InvalidRequestError for a name in `guardrails` that does not exist
   * @throws GatewayError internal where the caller's own guardrail does not exist
   */
  begin<K extends Operation>(
    operation: K,
    request: Operations[K]['request'],
    facts: Omit<GuardedFacts, 'operation'>,
  ): GuardedCall<K> | undefined
  /** Name, type and modes of each. */
  readonly list: readonly {
    readonly name: string
    readonly type: string
    readonly modes: readonly string[]
    readonly defaultOn: boolean
  }[]
}

/** What guardrails run with. */
export interface GuardrailParts extends RuleParts {
  readonly clock: Clock
  readonly logger: Logger
  /** @default the next turn of the event loop */
  readonly pause?: () => Promise<void>
}

/**
 * Builds guardrails; also without any, so that a request that names one is told.
 * @throws GatewayError invalid_request for an expression that is slow or cannot be bounded, or a part that is missing
 */
export function createGuardrails(options: readonly GuardrailOptions[], parts: GuardrailParts): Guardrails {
  const rules = options.map((guardrail) => createRule(guardrail, parts))
  const { clock, logger, pause = () => setImmediate() } = parts
  return {
    begin(operation, request, facts) {
      const selected = selectRules(rules, request, facts.caller)
      if (selected.length === 0) return undefined
      const own = { operation, request, facts: { ...facts, operation }, selected }
      return new OpenGuardedCall({ ...own, clock, logger, pause })
    },
    list: rules.map(({ name, type, modes, isDefaultOn }) => ({
      name,
      type,
      modes: [...modes],
      defaultOn: isDefaultOn,
    })),
  }
}
