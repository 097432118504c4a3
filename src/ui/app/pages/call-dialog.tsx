import { type Json, ask, isJson } from '../api.js'
import { count, dollars, duration, moment, plainText } from '../kit/format.js'
import { Dialog, Empty, Loading, Table } from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'
import { Fact } from './fact.js'
import type { LogRow } from './log-row.js'
import { Outcome } from './logs.js'

/** One call whole: its attempts one below the other in time, whom it counts for, and how its cost came about. */
export function CallDialog({ row, onClose }: { readonly row: LogRow; readonly onClose: () => void }) {
  const [loaded, reload] = useLoad(row.request_id, (signal) =>
    ask<{ data: readonly LogRow[] }>({ path: '/spend/logs/v2', query: { request_id: row.request_id }, signal }),
  )
  return (
    <Dialog title={`Call ${row.request_id}`} wide onClose={onClose}>
      <div class="body stack">
        <Loading of={loaded} retry={reload}>
          {({ data }) => <Attempts rows={data.toReversed()} />}
        </Loading>
        <h3>Price</h3>
        <PriceLines row={row} />
        <h3>Facts</h3>
        <dl class="facts">
          {facts.map(([name, label]) => (
            <Fact label={label} value={row[name]} key={name} />
          ))}
        </dl>
      </div>
    </Dialog>
  )
}

const facts: readonly (readonly [keyof LogRow, string])[] = [
  ['call_type', 'Operation'],
  ['caller', 'Caller'],
  ['api_key', 'Key'],
  ['user', 'User'],
  ['team_id', 'Team'],
  ['organization_id', 'Organization'],
  ['customer', 'Customer'],
  ['end_user', 'End user, as the caller says'],
  ['request_tags', 'Tags'],
  ['model_id', 'Deployment'],
  ['estimated', 'Usage is estimated'],
  ['billable', 'Billable'],
  ['metadata', 'Metadata'],
]

/** The attempts of a call as bars over its time; the part until the first token is lighter. */
function Attempts({ rows }: { readonly rows: readonly LogRow[] }) {
  const begin = Math.min(...rows.map(({ startTime }) => Date.parse(startTime)))
  const end = Math.max(...rows.map(({ endTime }) => Date.parse(endTime)))
  const share = (milliseconds: number): string => `${(100 * milliseconds) / Math.max(1, end - begin)}%`
  return (
    <section class="stack tight" aria-label="Attempts">
      <p class="muted">
        {moment(new Date(begin).toISOString())} · {count(rows.length)} {rows.length === 1 ? 'attempt' : 'attempts'} in{' '}
        {duration(end - begin)}
      </p>
      {rows.map((row) => (
        <div class="attempt" key={row.id}>
          <span>
            {row.custom_llm_provider}/{row.model} <Outcome of={row} />
          </span>
          <span class="number">
            {row.completionStartTime && `first token ${duration(firstTokenMs(row))} · `}
            {duration(row.request_duration_ms)}
          </span>
          <div class="waterfall">
            <i style={{ marginLeft: share(Date.parse(row.startTime) - begin), width: share(row.request_duration_ms) }}>
              <b style={{ width: `${(100 * firstTokenMs(row)) / Math.max(1, row.request_duration_ms)}%` }} />
            </i>
          </div>
        </div>
      ))}
    </section>
  )
}

/** Nothing for answers that came whole. */
function firstTokenMs({ completionStartTime, startTime }: LogRow): number {
  return completionStartTime === null ? 0 : Date.parse(completionStartTime) - Date.parse(startTime)
}

interface Line {
  readonly bucket: string
  readonly quantity: number
  /** Dollars, as exact decimals. */
  readonly rate: string | undefined
  readonly per: number
  readonly cost: string
}

function toLine({ bucket, quantity, rate, per, cost }: Json): Line {
  return {
    bucket: plainText(bucket),
    quantity: Number(quantity),
    rate: typeof rate === 'string' ? rate : undefined,
    per: Number(per),
    cost: plainText(cost),
  }
}

/** Rates of tokens as providers publish them, per million; others as they are. */
function toRate(rate: number, per: number): string {
  const isSmall = per === 1 && rate < 0.001
  return `$${+(isSmall ? rate * 1e6 : rate).toPrecision(9)} per ${isSmall ? 'million' : count(per)}`
}

function PriceLines({ row }: { readonly row: LogRow }) {
  const lines: unknown = row.price?.['lines']
  if (!Array.isArray(lines) || lines.length === 0) return <Empty title="No price is known for this call" />
  const rows = lines.filter(isJson).map(toLine)
  return (
    <>
      <Table<Line>
        caption="Price lines"
        rows={rows}
        keyOf={({ bucket }) => bucket}
        columns={[
          { head: 'What', cell: ({ bucket }) => bucket },
          { head: 'Quantity', cell: ({ quantity }) => count(quantity), numeric: true },
          {
            head: 'Rate',
            cell: ({ rate, per }) => (rate === undefined ? 'not known' : toRate(Number(rate), per)),
            numeric: true,
          },
          { head: 'Cost', cell: ({ cost }) => `$${cost}`, numeric: true },
        ]}
      />
      <p class="muted">
        Price of {plainText(row.price?.['name'] ?? row.model)} from {plainText(row.price?.['source'] ?? '–')}. The
        provider charges {dollars(row.provider_cost)}; {dollars(row.spend)} were counted.
      </p>
    </>
  )
}
