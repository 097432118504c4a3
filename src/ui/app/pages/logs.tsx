import { useEffect, useState } from 'preact/hooks'
import { Field, type FormField } from '../kit/form.js'
import { count, dollars, duration, moment } from '../kit/format.js'
import { readListPage } from '../kit/list-page.js'
import { Pager } from '../kit/pager.js'
import { Badge, type Column, Empty, Loading, PageHead, Table } from '../kit/parts.js'
import { usePages } from '../kit/use-pages.js'
import { CallDialog } from './call-dialog.js'
import type { LogRow } from './log-row.js'

/** Whose calls are wanted: the ledger is searched for one of these at a time. */
const scopes: readonly (readonly [string, string])[] = [
  ['', 'everybody'],
  ['api_key', 'key'],
  ['user_id', 'user'],
  ['team_id', 'team'],
  ['end_user', 'customer'],
  ['tag', 'tag'],
]

const fields: readonly FormField[] = [
  { name: 'scope', label: 'Calls of', kind: 'choice', options: scopes },
  { name: 'id', label: 'Which one', kind: 'text' },
  { name: 'model_group', label: 'Model', kind: 'text' },
  {
    name: 'status_filter',
    label: 'Outcome',
    kind: 'choice',
    options: [
      ['', 'any'],
      ['success', 'succeeded'],
      ['failure', 'failed'],
    ],
  },
  { name: 'request_id', label: 'Request id', kind: 'text' },
  { name: 'start_date', label: 'From', kind: 'date' },
  { name: 'end_date', label: 'Until', kind: 'date' },
]

type Filters = Readonly<Record<string, string>>

const tailMs = 3_000

/** The ledger, newest first. */
export function Logs() {
  const [typed, setTyped] = useState<Filters>({})
  const [filters, setFilters] = useState<Filters>({})
  const [live, setLive] = useState(false)
  const [open, setOpen] = useState<LogRow>()
  const pages = usePages<LogRow>(JSON.stringify(filters), (after, signal) =>
    readListPage<LogRow>({ path: '/spend/logs/v2', query: toQuery(filters), member: 'data', after, signal }),
  )
  const { reload, number } = pages
  useEffect(() => {
    if (!live || number > 1) return
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), tailMs)
    return () => clearInterval(timer)
  }, [live, number, reload])
  const submit = (event: Event): void => {
    event.preventDefault()
    setFilters(typed)
  }
  return (
    <>
      <PageHead title="Logs" lead="One row for every attempt that was billed, and every answer from the cache.">
        <button aria-pressed={live} onClick={() => setLive(!live)}>
          {live ? 'Stop following' : 'Follow'}
        </button>
        <button onClick={reload}>Refresh</button>
      </PageHead>
      <div class="stack">
        <form class="card filters" onSubmit={submit} role="search">
          {fields.map((field) => (
            <Field
              key={field.name}
              field={field}
              value={typed[field.name] ?? ''}
              onChange={(text) => setTyped({ ...typed, [field.name]: text })}
            />
          ))}
          <button class="primary">Search</button>
        </form>
        <div class="card">
          <Loading of={pages.loaded} retry={reload}>
            {({ rows }) =>
              rows.length === 0 ? (
                <Empty title="No calls found">Calls appear here as soon as they end.</Empty>
              ) : (
                <Table caption="Calls" columns={columns(setOpen)} rows={rows} keyOf={({ id }) => id} />
              )
            }
          </Loading>
          <Pager of={pages} />
        </div>
      </div>
      {open && <CallDialog row={open} onClose={() => setOpen(undefined)} />}
    </>
  )
}

function toQuery({ scope, id, ...others }: Filters): Filters {
  return scope && id ? { ...others, [scope]: id } : others
}

function columns(onOpen: (row: LogRow) => void): readonly Column<LogRow>[] {
  return [
    {
      head: 'Time',
      cell: (row) => (
        <>
          <button class="link nowrap" onClick={() => onOpen(row)}>
            {moment(row.startTime)}
          </button>
          <span class="sub mono">{row.request_id}</span>
        </>
      ),
    },
    { head: 'Outcome', cell: (row) => <Outcome of={row} /> },
    {
      head: 'Model',
      cell: ({ model_group: group, custom_llm_provider: provider, model }) => (
        <>
          {group}
          <span class="sub">
            {provider}/{model}
          </span>
        </>
      ),
    },
    { head: 'Caller', cell: ({ team_id: team, user, caller }) => [team, user].filter(Boolean).join(' · ') || caller },
    {
      head: 'Tokens',
      cell: (row) => (
        <>
          {count(row.prompt_tokens)} in<span class="sub">{count(row.completion_tokens)} out</span>
        </>
      ),
      numeric: true,
    },
    { head: 'Time taken', cell: ({ request_duration_ms: took }) => duration(took), numeric: true },
    {
      head: 'Cost',
      cell: ({ spend, priced }) => (priced ? dollars(spend) : <Badge tone="warn">no price</Badge>),
      numeric: true,
    },
  ]
}

/** How an attempt ended. */
export function Outcome({
  of: { status, failure, http_status: code, cache_hit: cached, aborted },
}: {
  readonly of: LogRow
}) {
  if (status === 'failure') return <Badge tone="bad">{`${failure ?? 'failed'} ${code}`}</Badge>
  if (cached === 'True') return <Badge tone="plain">from the cache</Badge>
  return aborted ? <Badge tone="warn">cut off</Badge> : <Badge tone="good">ok</Badge>
}
