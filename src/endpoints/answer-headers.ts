import type { Given } from '../call/attempt.js'
import type { CallTrail } from '../router/trail.js'

const printable = /^[\x21-\x7e]*$/
const notPrintable = /[^\x21-\x7e]/gu
const longestHeader = 2_000

function escape(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`
}

/**
 * `x-sluice-attempts`: how many deployments were asked, each time counted; where `explain` is wanted, `x-sluice-explain`:
 * a JSON list of what was tried and why.
 */
export function attemptHeaders(trail: CallTrail, explain: boolean): Record<string, string> {
  const headers: Record<string, string> = { 'x-sluice-attempts': String(trail.entries.length) }
  if (explain) headers['x-sluice-explain'] = toExplanation(trail)
  return headers
}

const mostExplained = 20

/** Ids and names of hosts may hold what no header can carry. */
function toExplanation(trail: CallTrail): string {
  const steps = trail.entries.slice(0, mostExplained).map((entry) => ({
    deployment: entry.deployment,
    model: entry.modelName,
    reason: entry.reason,
    outcome: entry.outcome,
    ...(entry.failure && { status: entry.failure.status, kind: entry.failure.kind }),
    ...(entry.endedAt !== undefined && { ms: entry.endedAt - entry.startedAt }),
  }))
  return JSON.stringify(steps).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * Headers that tell how an answer came to be: `x-sluice-deployment` and `x-sluice-attempts`; `x-sluice-fallback` names
 * the model group that took over; `x-sluice-dropped-params` lists what the provider could not honour;
 * `x-sluice-billable: false` says that the caller's own credentials paid.
 */
export function servedHeaders(
  { deploymentId, droppedParams, billable, headers }: Given,
  trail: CallTrail,
  explain: boolean,
): Record<string, string> {
  const paid: Record<string, string> = {
    'x-sluice-attempts': String(trail.entries.length),
    'x-sluice-deployment': headerText(deploymentId),
    ...headers,
  }
  if (explain) paid['x-sluice-explain'] = toExplanation(trail)
  if (!billable) paid['x-sluice-billable'] = 'false'
  const served = trail.entries.at(-1)?.modelName
  if (served !== undefined && served !== trail.modelName) paid['x-sluice-fallback'] = headerText(served)
  if (droppedParams.length === 0) return paid
  paid['x-sluice-dropped-params'] = headerText(droppedParams.join(','))
  return paid
}

/** Clients choose the names of unknown parameters; what no header can carry is escaped, and the rest cut. */
function headerText(text: string): string {
  if (text.length <= longestHeader && printable.test(text)) return text
  return text.replaceAll(notPrintable, escape).slice(0, longestHeader)
}
