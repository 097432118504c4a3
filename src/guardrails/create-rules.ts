import { GatewayError } from '../errors.js'
import type { OutboundHttp } from '../ports/outbound-http.js'
import { Secret } from '../secret.js'
import { UnboundedRegexError } from './bounded-regex.js'
import { judgeCustom, judgeHttp, judgeInjection, judgeJsonSchema, judgeModeration, type Moderate } from './judges.js'
import type { GuardrailOptions, MatchAction, RegexGuardrail, WordsGuardrail } from './options.js'
import { createPatternScanner } from './pattern-scanner.js'
import { piiLabels, piiPatterns, secretLabels } from './pii-patterns.js'
import { createRegexScanner, type HostPattern, probeRegex } from './regex-scanner.js'
import type { Look, Rule } from './rule.js'
import { createWordScanner } from './word-scanner.js'

/** What guardrails are built with. */
export interface RuleParts {
  /** Absent where the gateway has no way out; `http` guardrails need it. */
  readonly http?: OutboundHttp | undefined
  /** Absent where the gateway has no models; `moderation` guardrails need it. */
  readonly moderate?: Moderate | undefined
}

/**
 * Makes a guardrail ready for use.
 * @throws GatewayError invalid_request for an expression that is slow or cannot be bounded, or a part that is missing
 */
export function createRule(options: GuardrailOptions, parts: RuleParts): Rule {
  const modes = options.mode ?? (options.type === 'json_schema' ? 'post_call' : 'pre_call')
  return {
    name: options.name,
    type: options.type,
    modes: new Set([modes].flat()),
    isDefaultOn: options.defaultOn ?? true,
    deadlineMs: options.deadlineMs ?? 5_000,
    fail: options.fail ?? 'closed',
    look: toLook(options, parts),
  }
}

function toLook(options: GuardrailOptions, parts: RuleParts): Look {
  switch (options.type) {
    case 'pii': {
      const labels = options.entities ?? piiLabels
      return findPatterns(
        labels,
        (label) => options.actions?.[label] ?? options.action ?? 'mask',
        options.unmask ?? true,
      )
    }
    case 'secrets':
      return findPatterns(secretLabels, () => options.action ?? 'mask', options.unmask ?? true)
    case 'words':
      return findWords(options)
    case 'regex':
      return findRegexes(options)
    case 'injection':
      return judgeInjection(options)
    case 'length':
      return { mostCharacters: options.maxCharacters }
    case 'json_schema':
      return judgeJsonSchema(options)
    case 'moderation':
      return judgeModeration(options, required(parts.moderate, options, 'a model'))
    case 'http': {
      const apiKey = options.apiKey === undefined ? undefined : new Secret(options.apiKey)
      return judgeHttp(options, { http: required(parts.http, options, 'a way out over HTTP'), apiKey })
    }
    case 'custom':
      return judgeCustom(options)
  }
}

function required<T>(part: T | undefined, { name }: GuardrailOptions, what: string): T {
  if (part !== undefined) return part
  throw new GatewayError('invalid_request', `The guardrail ${name} needs ${what}, which the gateway does not have.`)
}

function findPatterns(
  labels: readonly string[],
  actionOf: (label: string) => MatchAction,
  isReversible: boolean,
): Look {
  const patterns = piiPatterns.filter(({ label }) => labels.includes(label))
  return {
    scan: {
      plain: patterns.map((pattern) => createPatternScanner(pattern, { json: false })),
      json: patterns.map((pattern) => createPatternScanner(pattern, { json: true })),
      refusing: new Set(labels.filter((label) => actionOf(label) === 'refuse')),
      isReversible,
    },
  }
}

function findWords({ words, wholeWords = true, action = 'refuse' }: WordsGuardrail): Look {
  const list = { label: 'banned_word', words, wholeWords }
  return {
    scan: {
      plain: [createWordScanner(list, { json: false })],
      json: [createWordScanner(list, { json: true })],
      refusing: new Set(action === 'refuse' ? [list.label] : []),
      isReversible: false,
    },
  }
}

function findRegexes({ name, patterns, action = 'refuse' }: RegexGuardrail): Look {
  const scanners = patterns.map((pattern) => tried(name, pattern))
  const refusing = patterns.filter((pattern) => (pattern.action ?? action) === 'refuse').map((pattern) => pattern.name)
  return { scan: { plain: scanners, json: scanners, refusing: new Set(refusing), isReversible: false } }
}

function tried(guardrail: string, pattern: HostPattern): ReturnType<typeof createRegexScanner> {
  try {
    const scanner = createRegexScanner(pattern)
    probeRegex(pattern)
    return scanner
  } catch (thrown) {
    if (!(thrown instanceof UnboundedRegexError)) throw thrown
    const message = `The expression ${pattern.name} of the guardrail ${guardrail} cannot be used: ${thrown.message}.`
    throw new GatewayError('invalid_request', message, { cause: thrown })
  }
}
