/** What went wrong, in the words of the gateway's error body. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** The field that is wrong, where the gateway names one. */
  readonly param: string | undefined

  constructor(message: string, status: number, param?: string) {
    super(message)
    this.status = status
    this.param = param
  }
}

export type Json = Readonly<Record<string, unknown>>

/** One request; `query` members that are undefined or empty are left out. */
export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** As in `/key/list`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  readonly body?: unknown
  readonly signal?: AbortSignal
}

/** The event that tells that nobody is let in without a credential, or with this one. */
export const signInNeeded = 'signinneeded'

const credentialName = 'sluice.credential'

/** The key that the admin typed in; kept for this tab alone, and not needed where the host's own login counts. */
export const credential = {
  get: (): string | null => sessionStorage.getItem(credentialName),
  set: (key: string): void => sessionStorage.setItem(credentialName, key),
  clear: (): void => sessionStorage.removeItem(credentialName),
}

/**
 * Takes the key out of an address such as `#/overview?key=sk-…`, as the demo prints it: what stands behind the `#` is
 * sent to nobody, and the key does not stay in the address.
 */
export function signInByAddress(): void {
  const [page = '', query = ''] = location.hash.split('?')
  const key = new URLSearchParams(query).get('key')
  if (key === null) return
  credential.set(key)
  history.replaceState(null, '', page)
}

/** Sends a request to the gateway, below this page's own folder. @throws ApiError */
export async function send({ method = 'GET', path, query = {}, body, signal }: ApiRequest): Promise<Response> {
  // Relative to the page, so it is right under any mount and behind a proxy that cuts a prefix off.
  const url = new URL(`api${path}`, document.baseURI)
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') url.searchParams.set(name, String(value))
  }
  const key = credential.get()
  const headers = {
    ...(key !== null && { authorization: `Bearer ${key}` }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  }
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }), ...(signal && { signal }) }
  const response = await fetch(url, init).catch((error: unknown) => {
    if (signal?.aborted) throw error
    throw new ApiError('The gateway cannot be reached. Is it running?', 0)
  })
  if (response.ok) return response
  const error = await toError(response)
  if (error.status === 401) window.dispatchEvent(new CustomEvent(signInNeeded, { detail: error.message }))
  throw error
}

/** Asks for JSON. @throws ApiError */
export async function ask<T>(request: ApiRequest): Promise<T> {
  const response = await send(request)
  return response.json() as Promise<T>
}

async function toError(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined)
  const error = isJson(body) && isJson(body['error']) ? body['error'] : {}
  const { message, param } = error
  const text = typeof message === 'string' ? message : `The gateway answered ${response.status}.`
  return new ApiError(text, response.status, typeof param === 'string' ? param : undefined)
}

/** True for a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** What to tell people about a failure. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
