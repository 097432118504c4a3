import { createHash, timingSafeEqual } from 'node:crypto'
import type { Auth, Caller } from './ports.js'
import { Secret } from './secret.js'

const admin: Caller = Object.freeze({ id: 'master', role: 'admin', models: 'all', scopes: Object.freeze([]) })
const everybody: Caller = Object.freeze({ id: 'anonymous', role: 'member', models: 'all', scopes: Object.freeze([]) })

/** The `auth: 'none'` of a host that lets everybody in. */
export const noAuth: Auth = { identify: () => everybody }

/** Lets the holder of the master key in as an admin, compared in constant time; everybody else is asked of `next`. */
export function masterKeyAuth(masterKey: string | Secret, next: Auth | undefined): Auth {
  const expected = digest(masterKey instanceof Secret ? masterKey.reveal() : masterKey)
  return {
    identify(request) {
      for (const given of credentialsOf(request.headers)) {
        if (timingSafeEqual(digest(given), expected)) return admin
      }
      return next ? next.identify(request) : null
    },
  }
}

// OpenAI's SDKs send `Authorization: Bearer`; those of Azure, Anthropic and Google have headers of their own, and
// LiteLLM's clients one for hosts that use `authorization` themselves.
const ownHeaders = ['api-key', 'x-api-key', 'x-goog-api-key'] as const

function credentialsOf(headers: Readonly<Record<string, string | undefined>>): readonly string[] {
  const bearer = /^Bearer +(\S+)$/i.exec(headers['authorization'] ?? '')?.[1]
  const ofLiteLLM = /^(?:Bearer +)?(\S+)$/i.exec(headers['x-litellm-api-key'] ?? '')?.[1]
  return [bearer, ofLiteLLM, ...ownHeaders.map((name) => headers[name])].filter((given) => given !== undefined)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
