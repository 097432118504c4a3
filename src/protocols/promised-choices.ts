import { numberOf } from '../wire/json.js'
import type { Exchange } from './protocol.js'

/**
 * How many choices an answer owes for each prompt: `n` of the request, else of its deployment, else 1. A stream that
 * ends without all of them was cut off.
 */
export function promisedChoices({ request, deployment }: Exchange<'chat' | 'completions'>): number {
  return numberOf(request.n ?? deployment.params['n']) ?? 1
}
