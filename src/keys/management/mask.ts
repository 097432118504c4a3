import { isObject } from '../../wire/json.js'

const secretNames = /pass(?:word|phrase)|secret|api_?key|token|authorization|credential|cookie|private_?key/i
const secretTexts = /\b(?:sk-[\w-]{8,}|Bearer\s+\S+)/i
const mask = '***'

/** A value for the audit: members that are called like credentials, and texts that look like one, are `***`. */
export function maskSecrets(value: unknown): unknown {
  if (typeof value === 'string') return secretTexts.test(value) ? mask : value
  if (Array.isArray(value)) return value.map(maskSecrets)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      secretNames.test(name) && typeof member === 'string' ? mask : maskSecrets(member),
    ]),
  )
}
