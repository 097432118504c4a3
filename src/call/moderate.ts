import type { Moderate } from '../guardrails/index.js'
import type { Caller, Scope } from '../ports.js'
import { CallTrail } from '../router/trail.js'
import type { CallParts } from './context.js'
import { runCall } from './run-call.js'

/** Characters of one text; longer ones are judged in pieces. */
const mostCharacters = 20_000

/**
 * Binds moderation guardrails to the gateway's own models. What it costs is charged to the caller like any other call, under
 * the id of the call that is guarded; the caller need not have access to the model, and its rate limits count no second call.
 */
export function createModerate(parts: () => CallParts): Moderate {
  return async ({ model, text, facts }, signal) => {
    const request = { model, input: piecesOf(text) }
    const { callId: requestId, caller } = facts
    const context = { caller: asPayer(caller), requestId, signal, headers: {}, trail: new CallTrail() }
    const { body } = await runCall('moderations', request, context, parts())
    const categories: Record<string, boolean> = {}
    for (const result of body.results) {
      for (const [name, found] of Object.entries(result.categories)) categories[name] = categories[name] || found
    }
    return { flagged: body.results.some(({ flagged }) => flagged), categories }
  }
}

function piecesOf(text: string): string[] {
  const pieces: string[] = []
  for (let at = 0; at < text.length; at += mostCharacters) pieces.push(text.slice(at, at + mostCharacters))
  return pieces
}

function asPayer(caller: Caller): Caller {
  return { ...caller, models: 'all', scopes: caller.scopes.map(withoutRates) }
}

function withoutRates({ rpm: _rpm, tpm: _tpm, maxParallelRequests: _parallel, ...scope }: Scope): Scope {
  return scope
}
