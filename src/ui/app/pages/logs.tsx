import { useEffect, useState } from 'preact/hooks'
import { count, dollars, duration, moment } from '../kit/format.js'
import { readListPage } from '../kit/list-page.js'
import { Pager } from '../kit/pager.js'
import { Badge, type Column, Empty, Loading, PageHead, Table } from '../kit/parts.js'
import { usePages } from '../kit/use-pages.js'
import { CallDialog } from './call-dialog.js'
import type { CallRow } from './call-types.js'
import { type Filters, LogFilters, toQuery } from './log-filters.js'
import { Outcome } from './outcome.js'

const tailMs = 3_000

/** Every call, whatever came of it, the latest first. */
export function Logs() {
  const [filters, setFilters] = useState<Filters>({})
  const [live, setLive] = useState(false)
  const [open, setOpen] = useState<CallRow>()
  const pages = usePages<CallRow>(JSON.stringify(filters), async (after, signal) =>
    readListPage<CallRow>({ path: '/calls', query: await toQuery(filters, signal), member: 'data', after, signal }),
  )
  const { reload, number } = pages
  useEffect(() => {
    if (!live || number > 1) return
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), tailMs)
    return () => clearInterval(timer)
  }, [live, number, reload])
  return (
    <>
      <PageHead title="Logs" lead="One row for every call, also for those that were refused or failed.">
        <button aria-pressed={live} onClick={() => setLive(!live)}>
          {live ? 'Stop following' : 'Follow'}
        </button>
        <button onClick={reload}>Refresh</button>
      </PageHead>
      <div class="stack">
        <LogFilters onSearch={setFilters} />
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

function columns(onOpen: (row: CallRow) => void): readonly Column<CallRow>[] {
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
    { head: 'Model', cell: (row) => <ModelOf row={row} /> },
    {
      head: 'Caller',
      cell: ({ team_id: team, user, caller }) =>
        [team, user].filter(Boolean).join(' · ') || caller || <span class="muted">nobody known</span>,
    },
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

function ModelOf({ row }: { readonly row: CallRow }) {
  const { model_group: group, requested_model: requested, custom_llm_provider: provider, model } = row
  return (
    <>
      {group ?? requested}
      {provider !== null && (
        <span class="sub">
          {provider}/{model}
        </span>
      )}
    </>
  )
}
