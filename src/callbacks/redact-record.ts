import type { AttemptRecord, CallRecord } from '../ports/callback.js'
import type { GuardrailVerdict } from '../ports/hooks.js'
import { isObject } from '../wire/json.js'
import { recorded } from './copy-body.js'

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
  const labels = new Cleaner(labelCharacters)
  const cleaned = withCleanLabels(record, labels)
  const bytes = recordBytes + 500 * record.attempts.length + 2 * labels.used
  // A copy of all members costs as much as cleaning them.
  if (!hasBodies(cleaned)) return { record: cleaned, bytes }
  const { request, response, ...rest } = cleaned
  const [asked, answered] = [new Cleaner(bodyCharacters), new Cleaner(bodyCharacters)]
  const bodies = {
    ...(request !== undefined && { request: applied(redact, asked.value(request)) }),
    ...(response !== undefined && { response: applied(redact, answered.value(response)) }),
  }
  return { record: { ...rest, ...bodies }, bytes: bytes + 2 * (asked.used + answered.used) }
}

/** The record itself where all of its labels are clean, as they mostly are. */
function withCleanLabels(record: CallRecord, labels: Cleaner): CallRecord {
  const requestedModel = labels.text(record.requestedModel)
  const endUser = record.endUser === undefined ? undefined : labels.text(record.endUser)
  const tags = cleanList(record.tags, (tag) => labels.text(tag))
  const error = record.error && { ...record.error, message: labels.text(record.error.message) }
  // Always new: cleaning builds it anew.
  const metadata = record.metadata && objectOf(labels.value(record.metadata))
  const attempts = cleanList(record.attempts, (attempt) => withCleanError(attempt, labels))
  const guardrails = cleanList(record.guardrails, (verdict) => withCleanReason(verdict, labels))
  const isClean =
    requestedModel === record.requestedModel &&
    endUser === record.endUser &&
    tags === record.tags &&
    error === record.error &&
    metadata === record.metadata &&
    attempts === record.attempts &&
    guardrails === record.guardrails
  return isClean ? record : { ...record, requestedModel, endUser, tags, error, metadata, attempts, guardrails }
}

/** The list itself where none of its entries had to be changed. */
function cleanList<T>(list: readonly T[], clean: (entry: T) => T): readonly T[] {
  let changed: T[] | undefined
  list.forEach((entry, index) => {
    const cleaned = clean(entry)
    if (cleaned !== entry) (changed ??= [...list])[index] = cleaned
  })
  return changed ?? list
}

/** An attempt as it may leave. */
export function redactAttempt(attempt: AttemptRecord): AttemptRecord {
  return withCleanError(attempt, new Cleaner(labelCharacters))
}

function withCleanError(attempt: AttemptRecord, labels: Cleaner): AttemptRecord {
  const { error } = attempt
  return error ? { ...attempt, error: { ...error, message: labels.text(error.message) } } : attempt
}

function withCleanReason(verdict: GuardrailVerdict, labels: Cleaner): GuardrailVerdict {
  return verdict.reason === undefined ? verdict : { ...verdict, reason: labels.text(verdict.reason) }
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

/** Copies values until so many characters are kept. */
class Cleaner {
  readonly #limit: number
  #used = 0
  #values = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Characters that were kept so far. */
  get used(): number {
    return this.#used
  }

  text(original: string): string {
    if (original.length < shortestSecret && this.#used + original.length <= this.#limit) {
      this.#used += original.length
      return original
    }
    if (original.length >= shortestMedia && (dataUrl.test(original) || longBase64.test(original))) {
      return `${/^data:[^,]*,/.exec(original)?.[0] ?? ''}(${original.length} characters)`
    }
    const left = Math.max(0, this.#limit - this.#used)
    // A key that is cut in two is still a key: clear first, but no more than can be kept.
    const cleared = original.slice(0, left + 200).replace(keyLike, '***')
    const kept = cleared.slice(0, left)
    this.#used += kept.length
    return original.length > left ? `${kept}… (${original.length - left} characters left out)` : kept
  }

  value(original: unknown, depth = 0): unknown {
    this.#values += 1
    if (typeof original === 'string') return this.text(original)
    if (typeof original === 'bigint') return String(original)
    if (typeof original !== 'object' || original === null) return original
    if (this.#values > recorded.values || depth > recorded.depth) return '(left out)'
    if (Array.isArray(original)) return this.#list(original, depth)
    if (ArrayBuffer.isView(original)) return `(${original.byteLength} bytes)`
    return Object.fromEntries(
      Object.entries(original)
        .slice(0, recorded.values)
        .map(([name, member]) => {
          this.#used += name.length
          return [name, secretNames.has(name.toLowerCase()) && member ? '***' : this.value(member, depth + 1)]
        }),
    )
  }

  #list(original: readonly unknown[], depth: number): unknown {
    if (original.length > 64 && typeof original[0] === 'number') return `(${original.length} numbers)`
    return original.slice(0, recorded.values).map((member) => this.value(member, depth + 1))
  }
}
