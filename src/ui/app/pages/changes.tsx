import { useState } from 'preact/hooks'
import type { Json } from '../api.js'
import { moment } from '../kit/format.js'
import { readListPage } from '../kit/list-page.js'
import { Pager } from '../kit/pager.js'
import { Badge, type Column, Dialog, Empty, Loading, PageHead, Table } from '../kit/parts.js'
import { usePages } from '../kit/use-pages.js'

/** A row of `GET /audit`. */
interface Change {
  readonly id: string
  readonly action: string
  readonly table_name: string
  readonly object_id: string
  readonly changed_by: string
  readonly updated_at: string
  readonly before_value: Json
  readonly updated_values: Json
}

const tones: Readonly<Record<string, 'good' | 'bad' | 'warn'>> = {
  created: 'good',
  deleted: 'bad',
  blocked: 'bad',
  unblocked: 'good',
}

/** Who changed which record, newest first. */
export function Changes() {
  const [by, setBy] = useState('')
  const [open, setOpen] = useState<Change>()
  const pages = usePages<Change>(by, (after, signal) =>
    readListPage<Change>({ path: '/audit', query: { changed_by: by }, member: 'audit_logs', after, signal }),
  )
  return (
    <>
      <PageHead title="Changes" lead="Every change of a key, team, user, customer, tier or deployment.">
        <form onSubmit={(event) => event.preventDefault()}>
          <label class="field">
            <span>Made by</span>
            <input
              type="search"
              value={by}
              placeholder="User id"
              onChange={(event) => setBy(event.currentTarget.value.trim())}
            />
          </label>
        </form>
      </PageHead>
      <div class="card">
        <Loading of={pages.loaded} retry={pages.reload}>
          {({ rows }) =>
            rows.length === 0 ? (
              <Empty title="No changes found" />
            ) : (
              <Table caption="Changes" columns={columns(setOpen)} rows={rows} keyOf={({ id }) => id} />
            )
          }
        </Loading>
        <Pager of={pages} />
      </div>
      {open && (
        <Dialog title={`${open.table_name} ${open.action}`} wide onClose={() => setOpen(undefined)}>
          <div class="body stack">
            <p class="muted">
              {open.object_id} · {moment(open.updated_at)} · {open.changed_by}
            </p>
            <h3>Before</h3>
            <pre tabIndex={0}>{JSON.stringify(open.before_value, null, 2)}</pre>
            <h3>After</h3>
            <pre tabIndex={0}>{JSON.stringify(open.updated_values, null, 2)}</pre>
          </div>
        </Dialog>
      )}
    </>
  )
}

function columns(onOpen: (change: Change) => void): readonly Column<Change>[] {
  return [
    {
      head: 'Time',
      cell: (change) => (
        <button class="link nowrap" onClick={() => onOpen(change)}>
          {moment(change.updated_at)}
        </button>
      ),
    },
    { head: 'What', cell: ({ action }) => <Badge tone={tones[action] ?? 'warn'}>{action}</Badge> },
    { head: 'Kind', cell: ({ table_name: kind }) => kind },
    { head: 'Record', cell: ({ object_id: id }) => <span class="mono">{id}</span> },
    { head: 'By', cell: ({ changed_by: by }) => by },
  ]
}
