import { type HttpBodyResponse, GatewayError, errorAnswer } from '../src/index.js'

/** The answer for a failure outside of the gateway's own code, in OpenAI's shape. */
export function failureAnswer(thrown: unknown): HttpBodyResponse {
  if (GatewayError.isInstance(thrown)) return errorAnswer(thrown)
  return errorAnswer(new GatewayError('internal', 'The gateway failed to process the request.', { cause: thrown }))
}

/** The 404 where no host is behind the gateway to answer. */
export function notFoundAnswer(method: string, path: string): HttpBodyResponse {
  return failureAnswer(new GatewayError('not_found', `Nothing is served at ${method} ${path}.`))
}

/** Leaves an iterator, so that what it reads from stops too; whatever that throws is of no use to anybody. */
export function closeIterator(iterator: AsyncIterator<unknown>): void {
  try {
    void Promise.resolve(iterator.return?.()).catch(ignore)
  } catch {
    // A `return` that throws at once is as closed as it gets.
  }
}

/** Takes an event or a rejection that is dealt with elsewhere. */
export function ignore(): void {}
