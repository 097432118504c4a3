/** What goes wrong, or slowly, while one answer is sent. Positions count stream events from 1; times are milliseconds. */
export interface FaultPlan {
  /** Answer with this error status. */
  readonly status?: number
  /** What that error says. */
  readonly message?: string
  /** Value of `retry-after` in seconds, on any answer with an error status. */
  readonly retryAfterSeconds?: number
  /** Wait before the headers. */
  readonly delayMs?: number
  /** Wait between the headers and the first content of a stream. */
  readonly firstTokenMs?: number
  /** Wait between two events of a stream; 0 only gives every event its own turn of the event loop. */
  readonly paceMs?: number
  /** Send the body in pieces of so many bytes ... */
  readonly pieceBytes?: number
  /** ... with this wait between two of them. */
  readonly pieceMs?: number
  /** Destroy the socket after so many events; in a whole answer after half of the body. */
  readonly cutAfter?: number
  /** Send nothing more after so many events; in a whole answer after half of the body. */
  readonly stallAfter?: number
  /** This event, or the whole body, is broken JSON. */
  readonly malformedAt?: number
  /** An error event after so many events, then a clean end; in a whole answer like `errorIn200`. */
  readonly errorAfter?: number
  /** Status 200 whose body, or first event, is an error. */
  readonly errorIn200?: true
  /** Reset the TCP connection instead of answering. */
  readonly reset?: true
  /** Read the request and never answer. */
  readonly hang?: true
  /** One line of so many bytes, made while it is read; Infinity never ends. */
  readonly hugeLineBytes?: number
  /** Leave out the terminator (`[DONE]`, `message_stop`). */
  readonly noDone?: true
  /** Send nothing more after a stream, and leave the connection open. */
  readonly keepOpen?: true
  /** Leave out the finish reason. */
  readonly noFinish?: true
  /** Leave out the token counts. */
  readonly noUsage?: true
  /** An answer of so many words. */
  readonly words?: number
  /** Frame events with CRLF. */
  readonly crlf?: true
  /** A comment line before every event, as keep-alive. */
  readonly comments?: true
  /** Close the connection after the answer. */
  readonly close?: true
}

/** One row of the table of faults. */
export interface Fault {
  /** How it is written in a model name, with an example number. */
  readonly example: string
  readonly effect: string
  readonly pattern: RegExp
  /** The part of the plan that it sets, from the number written behind it. */
  readonly plan: (number: number) => FaultPlan
}

const megabyte = 1024 * 1024

/**
 * Every fault and shape that a model name can ask for, as whole words joined by `+`: `fake/slow-500ms+cut-10`.
 * Numbers in brackets are the defaults where a word is written without one.
 *
 * - `slow-500ms` waits before the headers · `first-token-2000ms` waits after them · `trickle-20ms` [20] waits between events
 * - `status-429` any error status, in the dialect's own shape · `retry-after-7` adds that header
 * - `context-window`, `content-policy`, `usage-limit` a 400 whose message says that this is why
 * - `reset` TCP reset before the headers · `hang` never answers
 * - `cut-10` destroys the socket after 10 events · `stall-5` sends nothing more after 5
 * - `malformed-3` the third event is broken JSON · `error-mid-stream-3` an error event after 3 · `error-in-200`
 * - `no-done` no terminator · `keep-open` a stream whose connection stays open after its end · `no-finish` no finish reason · `no-usage` no token counts
 * - `slowloris-5ms` [5] one byte at a time · `bytes-3` pieces of 3 bytes · `crlf` · `comments` framing variants
 * - `huge-line-100mb` [100] one line that long · `endless-line` one that never ends
 * - `words-200` an answer of 200 words · `close` ends the connection after the answer
 */
export const faults: readonly Fault[] = [
  fault('slow-500ms', 'waits before the headers', /^slow-(\d+)ms$/, (delayMs) => ({ delayMs })),
  fault('first-token-2000ms', 'waits before the first content', /^first-token-(\d+)ms$/, (ms) => ({
    firstTokenMs: ms,
  })),
  fault('trickle-20ms', 'waits between events', /^trickle(?:-(\d+)ms)?$/, (paceMs) => ({ paceMs }), 20),
  fault('status-429', 'answers this error status', /^status-([45]\d\d)$/, (status) => ({ status })),
  fault('retry-after-7', 'adds retry-after in seconds', /^retry-after-(\d+)$/, (s) => ({ retryAfterSeconds: s })),
  refusal('context-window', "This model's maximum context length is 8192 tokens, and the prompt is longer."),
  refusal('content-policy', 'The prompt was rejected by our safety system for violating our usage policies.'),
  refusal('usage-limit', 'You have reached your specified API usage limits.'),
  fault('reset', 'resets the connection before the headers', /^reset$/, () => ({ reset: true })),
  fault('hang', 'never answers', /^hang$/, () => ({ hang: true })),
  fault('cut-10', 'destroys the socket after so many events', /^cut-(\d+)$/, (cutAfter) => ({ cutAfter })),
  fault('stall-5', 'sends nothing more after so many events', /^stall-(\d+)$/, (stallAfter) => ({ stallAfter })),
  fault('malformed-3', 'makes this event broken JSON', /^malformed-(\d+)$/, (malformedAt) => ({ malformedAt })),
  fault('error-mid-stream-3', 'sends an error after so many events', /^error-mid-stream-(\d+)$/, (errorAfter) => ({
    errorAfter,
  })),
  fault('error-in-200', 'answers 200 with an error inside', /^error-in-200$/, () => ({ errorIn200: true })),
  fault('no-done', 'ends without the terminator', /^no-done$/, () => ({ noDone: true })),
  fault('keep-open', 'leaves the connection of a stream open', /^keep-open$/, () => ({ keepOpen: true })),
  fault('no-finish', 'ends without a finish reason', /^no-finish$/, () => ({ noFinish: true })),
  fault('no-usage', 'sends no token counts', /^no-usage$/, () => ({ noUsage: true })),
  fault('slowloris-5ms', 'sends one byte at a time', /^slowloris(?:-(\d+)ms)?$/, (ms) => oneByteEvery(ms), 5),
  fault('bytes-3', 'sends pieces of so many bytes', /^bytes-([1-9]\d*)$/, (pieceBytes) => ({ pieceBytes })),
  fault('crlf', 'frames events with CRLF', /^crlf$/, () => ({ crlf: true })),
  fault('comments', 'puts a comment before every event', /^comments$/, () => ({ comments: true })),
  fault('huge-line-100mb', 'sends one line that long', /^huge-line(?:-(\d+)mb)?$/, (mb) => hugeLine(mb), 100),
  fault('endless-line', 'sends one line that never ends', /^endless-line$/, () => ({ hugeLineBytes: Infinity })),
  fault('words-200', 'answers with so many words', /^words-(\d+)$/, (words) => ({ words })),
  fault('close', 'closes the connection after the answer', /^close$/, () => ({ close: true })),
]

/** Reads the faults of a model name, or of a script: words joined by `+`, after the last `/`; other words mean nothing. */
export function parseFaults(name: string): FaultPlan {
  let plan: FaultPlan = {}
  for (const word of name.slice(name.lastIndexOf('/') + 1).split('+')) {
    for (const { pattern, plan: planOf } of faults) {
      const match = pattern.exec(word)
      if (match) plan = { ...plan, ...planOf(Number(match[1] ?? Number.NaN)) }
    }
  }
  return plan
}

/** Refuses a fault expression with a word that is no fault. @throws TypeError */
export function requireFaults(expression: string | undefined): void {
  const unknown = (expression ?? '')
    .split('+')
    .filter((word) => word !== '' && !faults.some((f) => f.pattern.test(word)))
  if (unknown.length > 0) throw new TypeError(`no such fault: ${unknown.join(', ')}`)
}

/** How many events an answer needs so that every fault of the plan happens. */
export function neededEvents(plan: FaultPlan): number {
  return Math.max(plan.cutAfter ?? 0, plan.stallAfter ?? 0, plan.malformedAt ?? 0, plan.errorAfter ?? 0)
}

function fault(
  example: string,
  effect: string,
  pattern: RegExp,
  plan: (number: number) => FaultPlan,
  standard = 0,
): Fault {
  return { example, effect, pattern, plan: (number) => plan(Number.isNaN(number) ? standard : number) }
}

function refusal(example: string, message: string): Fault {
  const plan = { status: 400, message }
  return fault(example, 'answers 400 for this reason', new RegExp(`^${example}$`), () => plan)
}

function oneByteEvery(pieceMs: number): FaultPlan {
  return { pieceBytes: 1, pieceMs }
}

function hugeLine(megabytes: number): FaultPlan {
  return { hugeLineBytes: megabytes * megabyte }
}
