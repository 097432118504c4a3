import { GatewayError } from '../errors.js'
import type { HttpRequest } from '../http/message.js'
import type { Auth, Caller } from '../ports.js'
import type { KeyDirectory } from './directory.js'
import type { KeyAnswer } from './resolve-caller.js'
import { isRouteAllowed } from './routes.js'

/**
 * Lets the holders of virtual keys in. A credential that begins with `sk-` and is no key of ours ends here; a request
 * without one is asked of `next`.
 */
export function keyAuth<Host>(directory: Pick<KeyDirectory, 'find'>, next?: Auth<Host>): Auth<Host> {
  return {
    identify(request) {
      const text = keyOf(request.headers)
      if (text === undefined) return next ? next.identify(request) : null
      const answer = directory.find(text)
      return answer instanceof Promise ? answer.then((late) => admit(late, request)) : admit(answer, request)
    },
  }
}

/** Where clients put a key: OpenAI's in `authorization`, Azure's, Anthropic's and Google's in headers of their own. */
const headerNames = ['x-litellm-api-key', 'authorization', 'api-key', 'x-api-key', 'x-goog-api-key'] as const

/** The first credential that is meant to be a virtual key. */
function keyOf(headers: HttpRequest['headers']): string | undefined {
  for (const name of headerNames) {
    const credential = /^(?:Bearer +)?(sk-.*)$/is.exec(headers[name] ?? '')?.[1]
    if (credential !== undefined) return credential.trimEnd()
  }
  return undefined
}

/** The caller of an answer. @throws GatewayError where it is a refusal, or the path is not the key's */
export function admit(answer: KeyAnswer, { path }: Pick<HttpRequest, 'path'>): Caller {
  if ('refused' in answer) {
    const { kind, message, code } = answer.refused
    throw new GatewayError(kind, message, { code })
  }
  if (!isRouteAllowed(path, answer.routes)) {
    throw new GatewayError('permission', 'This key may not be used for this path.', { code: 'route_not_allowed' })
  }
  return answer.caller
}
