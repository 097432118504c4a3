import { LRUCache } from 'lru-cache'
import type { Clock, Timer } from '../ports.js'
import type { CallOutcome, CallRecord, CallbackEvent } from '../ports/callback.js'
import { isObject, numberOf, stringOf } from '../wire/json.js'
import { createReport } from './daily-report.js'
import { plainText } from './slack-text.js'

/** When somebody is alerted; see `SlackOptions`. */
export interface AlertSettings {
  readonly alerts: readonly string[]
  readonly slowMs: number
  readonly errorRate: number
  readonly errorRateMinimum: number
  readonly errorRateWindowMs: number
  readonly repeatMs: number
  readonly reportAt: string
}

/** Turns records and events into lines that a person should read; undefined where there is nothing to say. */
export interface Alerts {
  onRecord(record: CallRecord): string | undefined
  onEvent(event: CallbackEvent): string | undefined
  /** Gives a report every day. @returns what ends it */
  startReports(add: (line: string) => void): () => void
}

interface Window {
  since: number
  calls: number
  failures: number
}

// Names are the host's, except those that clients make up.
const mostNames = 1_000
const dayMs = 24 * 60 * 60_000

/** Failures that say something of providers or of us, not of the caller. */
const serious: ReadonlySet<CallOutcome> = new Set([
  'upstream_refused',
  'rate_limited',
  'upstream_error',
  'upstream_unreachable',
  'upstream_timeout',
  'stream_broken',
  'unavailable',
  'internal',
])

/** Builds the alerts of one gateway; what was told is told again only after `repeatMs`. */
export function createAlerts(settings: AlertSettings, clock: Clock): Alerts {
  const told = new LRUCache<string, { until: number; muted: number }>({ max: mostNames })
  const windows = new LRUCache<string, Window>({ max: mostNames })
  const report = createReport()

  /** The line, unless the same was told lately; then it is counted, and the next line tells how many there were. */
  function once(type: string, subject: string, line: string): string | undefined {
    if (!settings.alerts.includes(type)) return undefined
    const now = clock.now()
    const earlier = told.get(`${type} ${subject}`)
    if (earlier && now < earlier.until) {
      earlier.muted += 1
      return undefined
    }
    told.set(`${type} ${subject}`, { until: now + settings.repeatMs, muted: 0 })
    return earlier && earlier.muted > 0 ? `${line} (and ${earlier.muted} more since the last alert)` : line
  }

  function errorRate(record: CallRecord): string | undefined {
    const group = record.modelName
    if (group === undefined) return undefined
    const now = clock.now()
    const known = windows.get(group)
    const window =
      known && now - known.since < settings.errorRateWindowMs ? known : { since: now, calls: 0, failures: 0 }
    if (window !== known) windows.set(group, window)
    window.calls += 1
    if (serious.has(record.outcome)) window.failures += 1
    const rate = window.failures / window.calls
    if (window.calls < settings.errorRateMinimum || rate < settings.errorRate) return undefined
    const share = `${Math.round(rate * 100)} % of ${window.calls} calls`
    return once('error_rate', group, `:rotating_light: *${plainText(group)}* fails: ${share}, last: ${record.outcome}`)
  }

  function slowCall(record: CallRecord): string | undefined {
    const took = record.endedAt - record.startedAt
    if (took < settings.slowMs) return undefined
    const subject = record.modelName ?? record.requestedModel
    // Ids hold no character that ends a piece of code.
    const line = `:snail: *${plainText(subject)}* took ${Math.round(took / 1_000)} s (call \`${record.callId}\`)`
    return once('slow_call', subject, line)
  }

  function budget(record: CallRecord): string | undefined {
    if (record.outcome !== 'budget_exceeded') return undefined
    const text = record.error?.message ?? ''
    return once(
      'budget',
      record.caller,
      `:no_entry: Budget exceeded by *${plainText(record.caller)}*: ${plainText(text)}`,
    )
  }

  function softBudget(event: CallbackEvent): string | undefined {
    const scope: unknown = Reflect.get(event, 'scope')
    const [kind, id] = isObject(scope) ? [stringOf(scope['kind']), stringOf(scope['id'])] : []
    const [spent, soft] = ['spent', 'softBudget'].map((key) => numberOf(Reflect.get(event, key)) ?? 0)
    const line = `:moneybag: *${plainText(`${kind} ${id}`)}* has spent $${spent}: more than its soft budget of $${soft}`
    return once('budget', `${kind} ${id}`, line)
  }

  function cooldown(event: CallbackEvent): string | undefined {
    const deployment = stringOf(Reflect.get(event, 'deployment')) ?? ''
    const group = stringOf(Reflect.get(event, 'modelName')) ?? ''
    const until = numberOf(Reflect.get(event, 'until')) ?? event.at
    const rest = `rests for ${Math.round((until - event.at) / 1_000)} s`
    return once(
      'cooldown',
      deployment,
      `:ice_cube: Deployment *${plainText(deployment)}* of ${plainText(group)} ${rest}`,
    )
  }

  const events: Readonly<Record<string, (event: CallbackEvent) => string | undefined>> = {
    soft_budget: softBudget,
    cooldown,
    ledger_rows_lost: () => once('budget', 'ledger', ':warning: Rows of the ledger are lost: see the log'),
  }

  return {
    onRecord(record) {
      report.add(record)
      const lines = [errorRate(record), slowCall(record), budget(record)].filter((line) => line !== undefined)
      return lines.length > 0 ? lines.join('\n') : undefined
    },
    onEvent: (event) => (Object.hasOwn(events, event.type) ? events[event.type]?.(event) : undefined),
    startReports(add) {
      if (!settings.alerts.includes('daily_report')) return () => {}
      let timer: Timer
      const wait = (): void => {
        timer = clock.setTimeout(tell, untilNext(settings.reportAt, clock.now()))
      }
      const tell = (): void => {
        add(report.take())
        wait()
      }
      wait()
      return () => timer.cancel()
    },
  }
}

/** Milliseconds until it is that time again, UTC. */
function untilNext(time: string, now: number): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  const due = (hours * 60 + minutes) * 60_000
  const passed = now % dayMs
  return due > passed ? due - passed : due - passed + dayMs
}
