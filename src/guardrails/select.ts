import { GatewayError, InvalidRequestError } from '../errors.js'
import type { Caller } from '../ports.js'
import { isObject, type JsonObject } from '../wire/json.js'
import type { Rule } from './rule.js'
import type { Selected } from './run-rule.js'

type Wanted = ReadonlyMap<string, JsonObject | undefined>
const none: Wanted = new Map()

/**
 * The guardrails of one call, in the order of the options: those that are on by default, those of the caller
 * (`metadata.guardrails`), and those that the request adds (`guardrails`, or `metadata.guardrails`). A request can only
 * add; a caller with `metadata.disable_global_guardrails: true` is spared those that are on by default.
 * @throws InvalidRequestError for a name of the request that does not exist
 * @throws GatewayError internal for one of the caller
 */
export function selectRules(
  rules: readonly Rule[],
  request: JsonObject,
  { metadata = {} }: Caller,
): readonly Selected[] {
  const { guardrails: ofCaller, disable_global_guardrails: isSpared } = metadata
  const { guardrails: ofBody, metadata: ofRequest } = request
  const inMetadata = isObject(ofRequest) ? ofRequest['guardrails'] : undefined
  if ((ofCaller ?? ofBody ?? inMetadata) === undefined) {
    return isSpared === true ? [] : rules.filter((rule) => rule.isDefaultOn).map(toSelected)
  }
  const names = new Set(rules.map(({ name }) => name))
  const requested = new Map([...toWanted(ofBody, names), ...toWanted(inMetadata, names)])
  const own = toOwn(ofCaller, names)
  return rules
    .filter((rule) => (rule.isDefaultOn && isSpared !== true) || own.has(rule.name) || requested.has(rule.name))
    .map((rule) => ({ rule, extra: requested.get(rule.name) }))
}

function toSelected(rule: Rule): Selected {
  return { rule, extra: undefined }
}

/** `["a", { "b": { "extra_body": {…} } }]` */
function toWanted(value: unknown, names: ReadonlySet<string>): Wanted {
  if (value === undefined || value === null) return none
  if (!Array.isArray(value)) throw notNames()
  const wanted = new Map<string, JsonObject | undefined>()
  const entries: readonly unknown[] = value
  for (const entry of entries) {
    const settings = typeof entry === 'string' ? { [entry]: undefined } : entry
    if (!isObject(settings)) throw notNames()
    for (const [name, setting] of Object.entries(settings)) {
      if (!names.has(name)) throw new InvalidRequestError('guardrails names one that does not exist.', 'guardrails')
      const extra = isObject(setting) ? setting['extra_body'] : undefined
      wanted.set(name, isObject(extra) ? extra : undefined)
    }
  }
  return wanted
}

/** A caller's guardrail that is not there must not go missing in silence. */
function toOwn(value: unknown, names: ReadonlySet<string>): ReadonlySet<string> {
  if (value === undefined || value === null) return new Set()
  const own: readonly unknown[] = Array.isArray(value) ? value : [value]
  const missing = own.find((name) => typeof name !== 'string' || !names.has(name))
  if (missing === undefined) return new Set(own.filter((name) => typeof name === 'string'))
  throw new GatewayError('internal', 'The caller has a guardrail that the gateway does not have.', {
    code: 'guardrail_unknown',
  })
}

function notNames(): InvalidRequestError {
  return new InvalidRequestError('guardrails must be a list of names.', 'guardrails')
}
