import type { Deployment } from '../deployment.js'
import { Secret } from '../secret.js'
import type { SentRequest } from '../upstream/message.js'
import { isObject, parseJson } from '../wire/json.js'

const secretName = /auth|key|token|secret|cookie|signature|credential|passw/i
// `x-…-authorization-token-type: KEYPAIR_JWT` names a method; it opens nothing.
const describingName = /(?:type|version|date|expires|algorithm|method|scheme)$/i
const plainWord = /^(?:bearer|basic|true|false|none|null|\d{4}-\d{2}-\d{2}(?:-\w+)?|v?\d{1,3}(?:\.\d+)*)$/i
const scheme = /^[A-Za-z][\w-]* +/
const shortestSecret = 4
// A shorter piece of a credential, or of its base64, may be an ordinary word.
const shortestPiece = 8
const deepestSetting = 4

/** Every text that would give away a deployment's credentials, in every form they may be quoted in; longest first. */
export function knownSecrets(deployment: Deployment, sent: SentRequest | undefined): readonly string[] {
  const keys = [
    deployment.apiKey?.reveal() ?? '',
    ...Object.values(deployment.settings).flatMap((value) => secretsInside(value, '', 0)),
    ...[...(sent?.tokens ?? [])].flatMap((token) => secretsInText(token, 0)),
  ].filter(isLongEnough)
  const named = [...Object.entries(deployment.headers), ...addedHeaders(sent), ...addedQuery(sent)]
  const values = named.filter(holdsSecret).flatMap(([, value]) => [value, ...piecesOf(value)])
  const all = [...keys.flatMap((key) => [key, ...encodedForms(key)]), ...values.filter(isLongEnough)]
  return [...new Set(all)].toSorted((a, b) => b.length - a.length)
}

const isLongEnough = (text: string): boolean => text.length >= shortestSecret && !plainWord.test(text)

function addedHeaders(sent: SentRequest | undefined): readonly (readonly [string, string])[] {
  if (!sent) return []
  const { encoded, signed } = sent
  return Object.entries(signed.headers).filter(([name, value]) => encoded.headers[name] !== value)
}

function addedQuery(sent: SentRequest | undefined): readonly (readonly [string, string])[] {
  if (!sent || sent.signed.path === sent.encoded.path) return []
  return [...new URL(sent.signed.path, 'http://path').searchParams]
}

function holdsSecret([name, value]: readonly [string, string]): boolean {
  if (/^(?:Bearer|Basic) /i.test(value)) return true
  return secretName.test(name) && !describingName.test(name)
}

/** The value without its scheme, and the parts of a list: `Credential=…, Signature=…`, `a=…; b=…`. */
function piecesOf(value: string): readonly string[] {
  const bare = value.replace(scheme, '')
  const members = bare.split(/[;,\s]+/).flatMap((member) => {
    const at = member.indexOf('=')
    const content = at > 0 ? member.slice(at + 1).replaceAll('"', '') : member
    return content.length >= shortestPiece ? [content] : []
  })
  return [bare, ...members]
}

/** Secrets at any depth of a setting: wrapped ones, and members named like one. */
function secretsInside(value: unknown, name: string, depth: number): readonly string[] {
  if (depth > deepestSetting) return []
  if (value instanceof Secret) return secretsInText(value.reveal(), depth)
  if (typeof value === 'string') return secretName.test(name) && !describingName.test(name) ? [value] : []
  if (!isObject(value)) return []
  return Object.entries(value).flatMap(([member, content]) => secretsInside(content, member, depth + 1))
}

/** A credential; where it is a JSON object (a key file, a token with what belongs to it), also what that holds. */
function secretsInText(text: string, depth: number): readonly string[] {
  return [text, ...(text.trimStart().startsWith('{') ? secretsInside(parseJson(text), '', depth + 1) : [])]
}

/** The key as URLs, forms and Basic credentials hold it. */
function encodedForms(key: string): readonly string[] {
  const forms = [encodeURIComponent(Buffer.from(key).toString()), new URLSearchParams([['', key]]).toString().slice(1)]
  return [...forms.filter((form) => form !== key), ...base64Forms(key)]
}

/** What base64 makes of the key wherever it begins in a text; the characters it shares with its neighbours are left out. */
function base64Forms(key: string): readonly string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(key)])
    const first = Math.ceil((offset * 8) / 6)
    const core = bytes.toString('base64').slice(first, Math.floor((bytes.length * 8) / 6))
    if (core.length < shortestPiece) return []
    return [core, core.replaceAll('+', '-').replaceAll('/', '_')]
  })
}
