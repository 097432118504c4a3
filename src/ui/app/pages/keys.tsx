import { useState } from 'preact/hooks'
import { type Json, ask } from '../api.js'
import { moment, plainText } from '../kit/format.js'
import { readListPage } from '../kit/list-page.js'
import { Pager } from '../kit/pager.js'
import { ActionButton, Badge, type Column, Empty, Loading, Notice, PageHead, Table } from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'
import { usePages } from '../kit/use-pages.js'
import { KeyDialog, type OpenKey, nameOf } from './key-dialogs.js'
import { BudgetText, Limits, ModelNames } from './limits.js'

interface ModelList {
  readonly data: readonly { readonly id: string }[]
}

/** Virtual keys: made, shown once, changed, blocked, given a new text, deleted. */
export function Keys() {
  const [team, setTeam] = useState('')
  const [open, setOpen] = useState<OpenKey>()
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
  const done = (): void => {
    close()
    setProblem(undefined)
    pages.reload()
  }
  const shown: readonly Column<Json>[] = [
    ...columns((key) => setOpen({ kind: 'details', key })),
    { head: 'Actions', cell: (key) => <Actions of={key} onOpen={setOpen} onDone={done} onError={setProblem} /> },
  ]
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
              <Table caption="Keys" columns={shown} rows={rows} keyOf={(key) => plainText(key['token'])} />
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
          onDone={done}
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

function Actions(props: {
  readonly of: Json
  readonly onOpen: (open: OpenKey) => void
  readonly onDone: () => void
  readonly onError: (problem: string) => void
}) {
  const { of: key, onOpen, onDone, onError } = props
  const name = nameOf(key)
  const isBlocked = key['blocked'] === true
  const verb = isBlocked ? 'Unblock' : 'Block'
  const block = async (): Promise<void> => {
    await ask({ method: 'POST', path: isBlocked ? '/key/unblock' : '/key/block', body: { key: key['token'] } })
    onDone()
  }
  return (
    <div class="row-actions">
      <button onClick={() => onOpen({ kind: 'edit', key })} aria-label={`Edit ${name}`}>
        Edit
      </button>
      <ActionButton action={block} onError={onError} label={`${verb} ${name}`}>
        {verb}
      </ActionButton>
      <button onClick={() => onOpen({ kind: 'rotate', key })} aria-label={`Rotate ${name}`}>
        Rotate
      </button>
      <button class="danger" onClick={() => onOpen({ kind: 'delete', key })} aria-label={`Delete ${name}`}>
        Delete
      </button>
    </div>
  )
}
