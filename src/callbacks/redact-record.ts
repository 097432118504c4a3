import type { AttemptRecord, CallRecord } from '../ports/callback.js'
import { isObject } from '../wire/json.js'

/** A host's own redaction of a body; gets a copy that it may change. */
export type RedactBody = (body: unknown) => unknown

/** A record that may leave, and roughly how much memory it takes. */
export interface RedactedRecord {
  readonly record: CallRecord
  readonly bytes: number
}

const bodyCharacters = 64 * 1024
const labelCharacters = 8 * 1024
/** What a record takes besides its texts. */
const recordBytes = 2_000
const mostValues = 20_000
const deepest = 40

const keyLike =
  /\b(?:sk|pk|rk|gsk|xai|hf|nvapi|key|token)[-_][A-Za-z0-9_*.-]{8,}|\bAIza[\w*-]{8,}|\bA[KS]IA[A-Z0-9]{12,}|\bBearer\s+[\w.~+/-]{8,}=*/g
const secretNames: ReadonlySet<string> = new Set(
  `api_key apikey api-key authorization cookie credentials extra_headers headers password secret access_token
   refresh_token client_secret aws_access_key_id aws_secret_access_key aws_session_token vertex_credentials`
    .trim()
    .split(/\s+/),
)
const dataUrl = /^data:[\w./+-]+;base64,/
const longBase64 = /^[A-Za-z0-9+/_-]+={0,2}$/
const shortestMedia = 512
/** Nothing shorter is taken for a credential. */
const shortestSecret = 11

/**
 * A record without credentials, media and endless texts; nothing of the original is changed. What clients write (model,
 * labels, message) is shortened too, so that a queue's memory has a bound.
 */
export function redactRecord(record: CallRecord, redact: RedactBody | undefined): RedactedRecord {
  const labels = createCleaner(labelCharacters)
  const cleaned = {
    ...record,
    requestedModel: labels.text(record.requestedModel),
    endUser: record.endUser === undefined ? undefined : labels.text(record.endUser),
    tags: record.tags.map((tag) => labels.text(tag)),
    error: record.error && { ...record.error, message: labels.text(record.error.message) },
    metadata: record.metadata && objectOf(labels.value(record.metadata)),
    attempts: record.attempts.map((attempt) => withCleanError(attempt, labels)),
    guardrails: record.guardrails.map((verdict) =>
      verdict.reason === undefined ? verdict : { ...verdict, reason: labels.text(verdict.reason) },
    ),
  }
  const bytes = recordBytes + 500 * record.attempts.length + 2 * labels.used
  // A copy of all members costs as much as cleaning them.
  if (!hasBodies(cleaned)) return { record: cleaned, bytes }
  const { request, response, ...rest } = cleaned
  const [asked, answered] = [createCleaner(bodyCharacters), createCleaner(bodyCharacters)]
  const bodies = {
    ...(request !== undefined && { request: applied(redact, asked.value(request)) }),
    ...(response !== undefined && { response: applied(redact, answered.value(response)) }),
  }
  return { record: { ...rest, ...bodies }, bytes: bytes + 2 * (asked.used + answered.used) }
}

/** An attempt as it may leave. */
export function redactAttempt(attempt: AttemptRecord): AttemptRecord {
  return withCleanError(attempt, createCleaner(labelCharacters))
}

function withCleanError(attempt: AttemptRecord, labels: Cleaner): AttemptRecord {
  const { error } = attempt
  return error ? { ...attempt, error: { ...error, message: labels.text(error.message) } } : attempt
}

function hasBodies({ request, response }: CallRecord): boolean {
  return request !== undefined || response !== undefined
}

/** The record for a sink that gets no bodies. */
export function withoutBodies(record: CallRecord): CallRecord {
  if (!hasBodies(record)) return record
  const { request: _request, response: _response, ...rest } = record
  return rest
}

function applied(redact: RedactBody | undefined, body: unknown): unknown {
  if (!redact) return body
  try {
    return redact(body)
  } catch {
    // What could not be redacted does not leave.
    return undefined
  }
}

const objectOf = (value: unknown): CallRecord['metadata'] => (isObject(value) ? value : undefined)

interface Cleaner {
  /** Characters that were kept so far. */
  readonly used: number
  text(text: string): string
  value(value: unknown): unknown
}

/** Copies values until so many characters are kept. */
function createCleaner(limit: number): Cleaner {
  let used = 0
  let values = 0

  function text(original: string): string {
    if (original.length < shortestSecret && used + original.length <= limit) {
      used += original.length
      return original
    }
    if (original.length >= shortestMedia && (dataUrl.test(original) || longBase64.test(original))) {
      return `${/^data:[^,]*,/.exec(original)?.[0] ?? ''}(${original.length} characters)`
    }
    const left = Math.max(0, limit - used)
    // A key that is cut in two is still a key: clear first, but no more than can be kept.
    const cleared = original.slice(0, left + 200).replace(keyLike, '***')
    const kept = cleared.slice(0, left)
    used += kept.length
    return original.length > left ? `${kept}… (${original.length - left} characters left out)` : kept
  }

  function value(original: unknown, depth = 0): unknown {
    values += 1
    if (typeof original === 'string') return text(original)
    if (typeof original === 'bigint') return String(original)
    if (typeof original !== 'object' || original === null) return original
    if (values > mostValues || depth > deepest) return '(left out)'
    if (Array.isArray(original)) return list(original, depth)
    if (ArrayBuffer.isView(original)) return `(${original.byteLength} bytes)`
    return Object.fromEntries(
      Object.entries(original)
        .slice(0, mostValues)
        .map(([name, member]) => {
          used += name.length
          return [name, secretNames.has(name.toLowerCase()) && member ? '***' : value(member, depth + 1)]
        }),
    )
  }

  function list(original: readonly unknown[], depth: number): unknown {
    if (original.length > 64 && typeof original[0] === 'number') return `(${original.length} numbers)`
    return original.slice(0, mostValues).map((member) => value(member, depth + 1))
  }

  return {
    get used() {
      return used
    },
    text,
    value,
  }
}
