import { readFile } from 'node:fs/promises'
import { InvalidRequestError } from '../errors.js'
import { isObject, type JsonObject, parseJson, stringOf } from '../wire/json.js'

/** How to get access tokens of Google Cloud. */
export type GoogleCredentials =
  | {
      readonly kind: 'service_account'
      readonly email: string
      /** PEM. */
      readonly privateKey: string
      readonly privateKeyId: string | undefined
      readonly tokenUri: string
      readonly project: string | undefined
      readonly quotaProject: string | undefined
    }
  | {
      readonly kind: 'authorized_user'
      readonly clientId: string
      readonly clientSecret: string
      readonly refreshToken: string
      readonly tokenUri: string
      readonly quotaProject: string | undefined
    }
  /** The metadata server of Compute Engine, Cloud Run, GKE. */
  | { readonly kind: 'metadata' }
  /** Everything else that Google's own library knows; without `json` whatever it finds (ADC). */
  | { readonly kind: 'library'; readonly json: JsonObject | undefined }

// https://developers.google.com/identity/protocols/oauth2/service-account
const defaultTokenUri = 'https://oauth2.googleapis.com/token'

/**
 * Credentials as a host gives them: an object as in a key file, its JSON text, the path of such a file, `metadata` for
 * the metadata server, or nothing (`adc`) for what Google's library finds.
 * @throws InvalidRequestError where they are none of these; their content is not repeated
 */
export async function readGoogleCredentials(given: unknown): Promise<GoogleCredentials> {
  if (given === undefined || given === 'adc') return { kind: 'library', json: undefined }
  if (given === 'metadata') return { kind: 'metadata' }
  if (isObject(given)) return fromKeyFile(given)
  if (typeof given !== 'string') throw unreadable('must be an object, JSON text, the path of a key file, or a function')
  if (given.trimStart().startsWith('{')) return fromKeyFile(parseJson(given))
  return fromKeyFile(parseJson(await readText(given)))
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw unreadable('name a file that cannot be read', cause)
  }
}

/** The project that credentials name where that needs no file; undefined otherwise. */
export function projectInCredentials(given: unknown): string | undefined {
  const json = typeof given === 'string' && given.trimStart().startsWith('{') ? parseJson(given) : given
  return isObject(json) ? stringOf(json['project_id']) : undefined
}

function fromKeyFile(json: unknown): GoogleCredentials {
  if (!isObject(json)) throw unreadable('are no JSON object')
  const quotaProject = stringOf(json['quota_project_id'])
  const tokenUri = stringOf(json['token_uri']) ?? defaultTokenUri
  if (!URL.canParse(tokenUri)) throw unreadable('have a token_uri that is no URL')
  switch (json['type']) {
    case 'service_account':
      return {
        kind: 'service_account',
        email: member(json, 'client_email'),
        // Environment variables often hold the key with its line feeds written out.
        privateKey: member(json, 'private_key').replaceAll(String.raw`\n`, '\n'),
        privateKeyId: stringOf(json['private_key_id']),
        tokenUri,
        project: stringOf(json['project_id']),
        quotaProject,
      }
    case 'authorized_user':
      return {
        kind: 'authorized_user',
        clientId: member(json, 'client_id'),
        clientSecret: member(json, 'client_secret'),
        refreshToken: member(json, 'refresh_token'),
        tokenUri,
        quotaProject,
      }
    default:
      // external_account, impersonated_service_account and what may come.
      return { kind: 'library', json }
  }
}

function member(json: JsonObject, name: string): string {
  const value = stringOf(json[name])
  if (value === undefined) throw unreadable(`lack ${name}`)
  return value
}

function unreadable(what: string, cause?: unknown): InvalidRequestError {
  return new InvalidRequestError(`The credentials for Google Cloud ${what}.`, 'credentials', cause)
}
