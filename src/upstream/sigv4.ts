import { createHash, createHmac } from 'node:crypto'

/** Keys of an AWS identity; the session token belongs to temporary ones. */
export interface AwsKeys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** What is signed. */
export interface SignableRequest {
  readonly method: string
  /** Scheme, host, port, path and query, as they go out: parts of the path already percent-encoded. */
  readonly url: string
  /** Lower-case names; of them only `content-type` and `x-amz-*` are signed, so that proxies may add others. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | null
}

/** For whom and when a signature counts. */
export interface SigningScope {
  /** `bedrock`, `sagemaker`, `sts` … */
  readonly service: string
  readonly region: string
  /** Milliseconds since the epoch; AWS refuses a signature that is five minutes off. */
  readonly now: number
}

const algorithm = 'AWS4-HMAC-SHA256'

/**
 * The headers of a request with the signature of AWS Signature Version 4 among them. Pure: same input, same signature.
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signAwsRequest(
  request: SignableRequest,
  keys: AwsKeys,
  scope: SigningScope,
): Readonly<Record<string, string>> {
  const url = new URL(request.url)
  const timestamp = toTimestamp(scope.now)
  const headers: Record<string, string> = { ...request.headers, 'x-amz-date': timestamp }
  delete headers['authorization']
  if (keys.sessionToken !== undefined) headers['x-amz-security-token'] = keys.sessionToken
  const signed = [...Object.entries(headers).filter(([name]) => isSigned(name)), ['host', url.host] as const]
    .map(([name, value]) => [name, value.trim().replaceAll(/\s+/g, ' ')] as const)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
  const names = signed.map(([name]) => name).join(';')
  const canonical = [
    request.method,
    canonicalPath(url.pathname),
    canonicalQuery(url.searchParams),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(request.body ?? ''),
  ].join('\n')
  const credentialScope = `${timestamp.slice(0, 8)}/${scope.region}/${scope.service}/aws4_request`
  const text = [algorithm, timestamp, credentialScope, sha256(canonical)].join('\n')
  const signature = hmac(signingKey(keys.secretAccessKey, timestamp.slice(0, 8), scope), text).toString('hex')
  headers['authorization'] =
    `${algorithm} Credential=${keys.accessKeyId}/${credentialScope}, SignedHeaders=${names}, Signature=${signature}`
  return headers
}

function isSigned(name: string): boolean {
  return name === 'content-type' || name.startsWith('x-amz-')
}

/** `20260131T235959Z` */
function toTimestamp(now: number): string {
  return `${new Date(now).toISOString().replaceAll(/[-:]/g, '').slice(0, 15)}Z`
}

/** Every segment is encoded once more than on the wire, as every service but S3 wants it; `.` and `..` are resolved. */
function canonicalPath(path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '')
  const tail = segments.length > 0 && path.endsWith('/') ? '/' : ''
  return `/${segments.map(encodeStrictly).join('/')}${tail}`
}

function canonicalQuery(query: URLSearchParams): string {
  return [...query]
    .map(([name, value]) => [encodeStrictly(name), encodeStrictly(value)] as const)
    .toSorted(([leftName, left], [rightName, right]) =>
      leftName === rightName ? (left < right ? -1 : 1) : leftName < rightName ? -1 : 1,
    )
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** Percent-encodes all but RFC 3986's unreserved characters. */
function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function signingKey(secret: string, date: string, { region, service }: SigningScope): Buffer {
  return [region, service, 'aws4_request'].reduce<Buffer>((key, part) => hmac(key, part), hmac(`AWS4${secret}`, date))
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex')
}
