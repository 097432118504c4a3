import { useState } from 'preact/hooks'
import { type Json, ask } from '../api.js'
import { FormDialog } from '../kit/form.js'
import { moment, plainText } from '../kit/format.js'
import { readListPage } from '../kit/list-page.js'
import { Pager } from '../kit/pager.js'
import {
  ActionButton,
  Badge,
  type Column,
  Confirm,
  Copyable,
  Dialog,
  Empty,
  Loading,
  Notice,
  PageHead,
  Table,
} from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'
import { usePages } from '../kit/use-pages.js'
import { keyFields } from './key-fields.js'
import { BudgetStatus, BudgetText, Limits, ModelNames } from './limits.js'

/** What is open above the list. */
type Open =
  | { readonly kind: 'new' }
  | { readonly kind: 'edit' | 'rotate' | 'delete' | 'details'; readonly key: Json }
  | { readonly kind: 'made'; readonly text: string }

interface ModelList {
  readonly data: readonly { readonly id: string }[]
}

/** Virtual keys: made, shown once, changed, blocked, given a new text, deleted. */
export function Keys() {
  const [team, setTeam] = useState('')
  const [open, setOpen] = useState<Open>()
  const [problem, setProblem] = useState<string>()
  const [models] = useLoad('models', (signal) => ask<ModelList>({ path: '/v1/models', signal }))
  const pages = usePages<Json>(team, (after, signal) =>
    readListPage({
      path: '/key/list',
      query: { return_full_object: true, team_id: team },
      member: 'keys',
      after,
      signal,
    }),
  )
  const close = (): void => setOpen(undefined)
  const setBlocked = async (key: Json, blocked: boolean): Promise<void> => {
    await ask({ method: 'POST', path: blocked ? '/key/block' : '/key/unblock', body: { key: key['token'] } })
    setProblem(undefined)
    pages.reload()
  }
  const actions: Column<Json> = {
    head: 'Actions',
    cell: (key) => (
      <div class="row-actions">
        <button onClick={() => setOpen({ kind: 'edit', key })} aria-label={`Edit ${nameOf(key)}`}>
          Edit
        </button>
        <ActionButton
          action={() => setBlocked(key, key['blocked'] !== true)}
          onError={setProblem}
          label={`${key['blocked'] === true ? 'Unblock' : 'Block'} ${nameOf(key)}`}
        >
          {key['blocked'] === true ? 'Unblock' : 'Block'}
        </ActionButton>
        <button onClick={() => setOpen({ kind: 'rotate', key })} aria-label={`Rotate ${nameOf(key)}`}>
          Rotate
        </button>
        <button class="danger" onClick={() => setOpen({ kind: 'delete', key })} aria-label={`Delete ${nameOf(key)}`}>
          Delete
        </button>
      </div>
    ),
  }
  return (
    <>
      <PageHead title="Keys" lead="Virtual keys, with what each may use and spend.">
        <form onSubmit={(event) => event.preventDefault()}>
          <label class="field">
            <span>Of team</span>
            <input
              type="search"
              value={team}
              placeholder="Team id"
              onChange={(event) => setTeam(event.currentTarget.value.trim())}
            />
          </label>
        </form>
        <button class="primary" onClick={() => setOpen({ kind: 'new' })}>
          Create key
        </button>
      </PageHead>
      {problem && <Notice tone="bad">{problem}</Notice>}
      <div class="card">
        <Loading of={pages.loaded} retry={pages.reload}>
          {({ rows }) =>
            rows.length === 0 ? (
              <Empty title="No keys">
                {team === '' ? 'Create one to let an application in.' : 'This team has none.'}
              </Empty>
            ) : (
              <Table
                caption="Keys"
                columns={[...columns((key) => setOpen({ kind: 'details', key })), actions]}
                rows={rows}
                keyOf={(key) => plainText(key['token'])}
              />
            )
          }
        </Loading>
        <Pager of={pages} />
      </div>
      {open && (
        <KeyDialog
          open={open}
          models={models.state === 'ready' ? models.value.data.map(({ id }) => id) : []}
          onClose={close}
          onMade={(text) => (setOpen({ kind: 'made', text }), pages.reload())}
          onDone={() => (close(), pages.reload())}
        />
      )}
    </>
  )
}

function columns(onOpen: (key: Json) => void): readonly Column<Json>[] {
  return [
    {
      head: 'Key',
      cell: (key) => (
        <>
          <button class="link" onClick={() => onOpen(key)}>
            {nameOf(key)}
          </button>
          <span class="sub mono">{plainText(key['key_name'])}</span>
        </>
      ),
    },
    { head: 'State', cell: (key) => <KeyState of={key} /> },
    {
      head: 'Belongs to',
      cell: (key) =>
        [key['team_id'], key['user_id']].filter(Boolean).map(String).join(' · ') || <span class="muted">nobody</span>,
    },
    { head: 'Models', cell: (key) => <ModelNames record={key} /> },
    { head: 'Budget', cell: (key) => <BudgetText record={key} />, numeric: true },
    { head: 'Limits', cell: (key) => <Limits record={key} /> },
  ]
}

function nameOf(key: Json): string {
  return plainText(key['key_alias'] ?? key['key_name'] ?? key['token'])
}

function KeyState({ of: key }: { readonly of: Json }) {
  const { expires, blocked } = key
  if (blocked === true) return <Badge tone="bad">blocked</Badge>
  if (typeof expires === 'string' && Date.parse(expires) <= Date.now()) return <Badge tone="plain">expired</Badge>
  return (
    <>
      <Badge tone="good">active</Badge>
      {typeof expires === 'string' && <span class="sub">until {moment(expires)}</span>}
    </>
  )
}

function KeyDialog(props: {
  readonly open: Open
  readonly models: readonly string[]
  readonly onClose: () => void
  readonly onMade: (text: string) => void
  readonly onDone: () => void
}) {
  const { open, models, onClose, onMade, onDone } = props
  if (open.kind === 'made') return <NewText text={open.text} onClose={onClose} />
  if (open.kind === 'details')
    return <Details id={plainText(open.key['token'])} title={nameOf(open.key)} onClose={onClose} />
  if (open.kind === 'new') {
    const save = async (changes: Json): Promise<void> => {
      const made = await ask<{ key: string }>({ method: 'POST', path: '/key/generate', body: withoutNull(changes) })
      onMade(made.key)
    }
    return <FormDialog title="Create key" verb="Create" fields={keyFields(models)} save={save} onClose={onClose} />
  }
  const id = open.key['token']
  if (open.kind === 'edit') {
    const save = async (changes: Json): Promise<void> => {
      await ask({ method: 'POST', path: '/key/update', body: { key: id, ...changes } })
      onDone()
    }
    return (
      <FormDialog
        title={`Edit ${nameOf(open.key)}`}
        verb="Save"
        fields={keyFields(models)}
        record={open.key}
        save={save}
        onClose={onClose}
      />
    )
  }
  if (open.kind === 'rotate') {
    const rotate = async (): Promise<void> => {
      const made = await ask<{ key: string }>({ method: 'POST', path: '/key/regenerate', body: { key: id } })
      onMade(made.key)
    }
    return (
      <Confirm title={`Rotate ${nameOf(open.key)}`} verb="Rotate" action={rotate} onClose={onClose}>
        The key gets a new text, and the old one stops working at once. Limits and spend go on.
      </Confirm>
    )
  }
  const remove = async (): Promise<void> => {
    await ask({ method: 'POST', path: '/key/delete', body: { keys: [id] } })
    onDone()
  }
  return (
    <Confirm title={`Delete ${nameOf(open.key)}`} verb="Delete" action={remove} onClose={onClose}>
      Whoever uses this key is refused from now on. What it has spent stays in the ledger.
    </Confirm>
  )
}

function withoutNull(changes: Json): Json {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null))
}

/** The only time that a key's text is seen. */
export function NewText({ text, onClose }: { readonly text: string; readonly onClose: () => void }) {
  return (
    <Dialog title="Copy this key now" onClose={onClose}>
      <div class="body stack">
        <Notice tone="good">It is shown this once, and kept nowhere as a text.</Notice>
        <Copyable text={text} label="The new key" />
      </div>
      <footer>
        <button class="primary" onClick={onClose}>
          Done
        </button>
      </footer>
    </Dialog>
  )
}

function Details({
  id,
  title,
  onClose,
}: {
  readonly id: string
  readonly title: string
  readonly onClose: () => void
}) {
  const [loaded, reload] = useLoad(id, (signal) =>
    ask<{ info: Json }>({ path: '/key/info', query: { key: id }, signal }),
  )
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="body">
        <Loading of={loaded} retry={reload}>
          {({ info }) => (
            <div class="stack">
              <BudgetStatus record={info} label={`Budget of ${title}`} />
              <dl class="facts">
                {facts.map(([name, label]) => (
                  <Fact label={label} value={info[name]} key={name} />
                ))}
              </dl>
            </div>
          )}
        </Loading>
      </div>
    </Dialog>
  )
}

const facts: readonly (readonly [string, string])[] = [
  ['key_name', 'Key'],
  ['key_id', 'Spend is kept under'],
  ['key_type', 'May be used for'],
  ['team_id', 'Team'],
  ['user_id', 'User'],
  ['customer_id', 'Customer'],
  ['models', 'Models'],
  ['aliases', 'Aliases'],
  ['tags', 'Tags'],
  ['expires', 'Expires'],
  ['created_at', 'Created'],
  ['created_by', 'Created by'],
  ['metadata', 'Metadata'],
]

/** One fact of a record, where it is set. */
export function Fact({ label, value }: { readonly label: string; readonly value: unknown }) {
  const isDate = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)
  const text = isDate ? moment(value) : plainText(value)
  if (text === '{}' || text === '[]' || text === '') return null
  return (
    <>
      <dt>{label}</dt>
      <dd>{Array.isArray(value) ? value.map(String).join(', ') : text}</dd>
    </>
  )
}
