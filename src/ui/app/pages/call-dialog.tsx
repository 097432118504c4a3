import { ask } from '../api.js'
import { count, dollars, duration, moment } from '../kit/format.js'
import { Badge, Copyable, Dialog, Loading, Notice } from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'
import type { Attempt, CallRow, WholeCall } from './call-types.js'
import { Fact } from './fact.js'
import { Outcome } from './outcome.js'
import { PriceLines } from './price-lines.js'

/** One call whole: its attempts one below the other in time, how its cost came about, and whom it counts for. */
export function CallDialog({ row, onClose }: { readonly row: CallRow; readonly onClose: () => void }) {
  const [loaded, reload] = useLoad(row.id, (signal) =>
    ask<WholeCall>({ path: `/calls/${encodeURIComponent(row.id)}`, signal }),
  )
  return (
    <Dialog title={`Call ${row.request_id}`} wide onClose={onClose}>
      <div class="body stack">
        <Loading of={loaded} retry={reload}>
          {(call) => <Whole call={call} />}
        </Loading>
      </div>
    </Dialog>
  )
}

function Whole({ call }: { readonly call: WholeCall }) {
  return (
    <>
      {call.error && (
        <Notice tone="bad">
          {call.error.message} <span class="sub">{[call.error.kind, call.error.code].filter(Boolean).join(' · ')}</span>
        </Notice>
      )}
      <Attempts call={call} />
      <h3>Price</h3>
      <PriceLines call={call} />
      <h3>Facts</h3>
      <dl class="facts">
        {facts.map(([name, label]) => (
          <Fact label={label} value={Reflect.get(call, name)} key={name} />
        ))}
      </dl>
      <Bodies call={call} />
    </>
  )
}

const facts: readonly (readonly [string, string])[] = [
  ['call_type', 'Operation'],
  ['requested_model', 'Model that was asked for'],
  ['caller', 'Caller'],
  ['api_key', 'Key'],
  ['user', 'User'],
  ['team_id', 'Team'],
  ['organization_id', 'Organization'],
  ['customer', 'Customer'],
  ['end_user', 'End user, as the caller says'],
  ['request_tags', 'Tags'],
  ['model_id', 'Deployment'],
  ['session_id', 'Session'],
  ['trace_id', 'Trace'],
  ['usage', 'Usage'],
  ['estimated', 'Usage is estimated'],
  ['guardrails', 'Guardrails'],
  ['metadata', 'Metadata'],
]

/** The attempts of a call as bars over its time; the part until the first token is lighter. */
function Attempts({ call }: { readonly call: WholeCall }) {
  const { attempts } = call
  const begin = Date.parse(call.startTime)
  const whole = Math.max(1, Date.parse(call.endTime) - begin)
  return (
    <section class="stack tight" aria-label="Attempts">
      <p class="muted">
        <Outcome of={call} /> {moment(call.startTime)} · {count(attempts.length)}{' '}
        {attempts.length === 1 ? 'attempt' : 'attempts'} in {duration(call.request_duration_ms)}
      </p>
      {attempts.map((attempt, at) => (
        <AttemptBar attempt={attempt} begin={begin} whole={whole} key={at} />
      ))}
    </section>
  )
}

const tones = { answered: 'good', failed: 'bad', cancelled: 'warn' } as const

function AttemptBar(props: { readonly attempt: Attempt; readonly begin: number; readonly whole: number }) {
  const { attempt, begin, whole } = props
  const { startTime, endTime, completionStartTime, error } = attempt
  const took = Date.parse(endTime) - Date.parse(startTime)
  const firstMs = completionStartTime === null ? 0 : Date.parse(completionStartTime) - Date.parse(startTime)
  const share = (milliseconds: number): string => `${Math.min(100, (100 * milliseconds) / whole)}%`
  return (
    <div class="attempt">
      <span>
        {attempt.provider}/{attempt.model} <Badge tone={tones[attempt.outcome]}>{attempt.outcome}</Badge>
        <span class="sub">
          {attempt.reason}
          {error && ` · ${error.kind} (${error.status}): ${error.message}`}
          {!attempt.sent && ' · nothing was sent'}
        </span>
      </span>
      <span class="number">
        {firstMs > 0 && `first token ${duration(firstMs)} · `}
        {duration(took)}
        {attempt.provider_cost !== null && <span class="sub">{dollars(attempt.provider_cost)}</span>}
      </span>
      <div class="waterfall">
        <i style={{ marginLeft: share(Date.parse(startTime) - begin), width: share(took) }}>
          <b style={{ width: `${(100 * firstMs) / Math.max(1, took)}%` }} />
        </i>
      </div>
    </div>
  )
}

/** Only there where bodies were switched on. */
function Bodies({ call }: { readonly call: WholeCall }) {
  if (call.request === null && call.response === null) {
    return <p class="muted">Bodies of requests and answers are kept where the gateway's callbacks switch them on.</p>
  }
  return (
    <>
      <h3>Request</h3>
      <Copyable text={JSON.stringify(call.request, null, 2)} label="Request" />
      <h3>Answer</h3>
      <Copyable text={JSON.stringify(call.response, null, 2)} label="Answer" />
    </>
  )
}
