import { useState } from 'preact/hooks'
import { type Json, ask } from '../api.js'
import { type FormField, FormDialog } from '../kit/form.js'
import { plainText } from '../kit/format.js'
import { readListPage } from '../kit/list-page.js'
import { Pager } from '../kit/pager.js'
import { ActionButton, type Column, Confirm, Dialog, Empty, Loading, Notice, PageHead, Table } from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'
import { usePages } from '../kit/use-pages.js'
import { Fact } from './fact.js'
import { BudgetStatus } from './limits.js'
import { Members } from './members.js'

/** One kind of records as data: where it is read and written, and what is shown and asked. */
export interface RecordSpec {
  readonly title: string
  readonly lead: string
  /** `team`, as in "Create team". */
  readonly noun: string
  readonly base: string
  readonly idField: string
  /** Ids that only people can give, such as a customer's. */
  readonly idIsRequired?: boolean
  /** The member of a list's answer that holds the rows; absent where it is an array. */
  readonly listMember?: string
  readonly columns: readonly Column<Json>[]
  readonly fields: readonly FormField[]
  /** Sent beside what was typed in. */
  readonly fixed?: Json
  readonly deleteBody: (id: string) => Json
  readonly deleteWarning: string
  /** The body of `block` and `unblock`, where the kind can be blocked. */
  readonly blockBody?: (id: string) => Json
  /** Users have places in it. */
  readonly hasMembers?: boolean
  /** Where one is told whole, with its spend. */
  readonly info?: { readonly query: (id: string) => Readonly<Record<string, string>>; readonly member?: string }
}

type Open =
  | { readonly kind: 'new' }
  | { readonly kind: 'edit' | 'delete' | 'details' | 'members'; readonly record: Json }

/** A page of one kind: a list with everything that can be done to its rows. */
export function Records({ spec }: { readonly spec: RecordSpec }) {
  const [open, setOpen] = useState<Open>()
  const [problem, setProblem] = useState<string>()
  const pages = usePages<Json>(spec.base, (after, signal) =>
    readListPage({ path: `${spec.base}/list`, after, signal, ...(spec.listMember && { member: spec.listMember }) }),
  )
  const done = (): void => {
    setOpen(undefined)
    setProblem(undefined)
    pages.reload()
  }
  const name: Column<Json> = {
    head: 'Id',
    cell: (record) =>
      spec.info ? (
        <button class="link" onClick={() => setOpen({ kind: 'details', record })}>
          {idOf(spec, record)}
        </button>
      ) : (
        idOf(spec, record)
      ),
  }
  const actions: Column<Json> = {
    head: 'Actions',
    cell: (record) => <Actions spec={spec} record={record} onOpen={setOpen} onDone={done} onError={setProblem} />,
  }
  return (
    <>
      <PageHead title={spec.title} lead={spec.lead}>
        <button class="primary" onClick={() => setOpen({ kind: 'new' })}>
          Create {spec.noun}
        </button>
      </PageHead>
      {problem && <Notice tone="bad">{problem}</Notice>}
      <div class="card">
        <Loading of={pages.loaded} retry={pages.reload}>
          {({ rows }) =>
            rows.length === 0 ? (
              <Empty title={`No ${spec.title.toLowerCase()} yet`} />
            ) : (
              <Table
                caption={spec.title}
                columns={[name, ...spec.columns, actions]}
                rows={rows}
                keyOf={(record) => idOf(spec, record)}
              />
            )
          }
        </Loading>
        <Pager of={pages} />
      </div>
      {open && <RecordDialog spec={spec} open={open} onClose={() => setOpen(undefined)} onDone={done} />}
    </>
  )
}

function idOf(spec: RecordSpec, record: Json): string {
  return plainText(record[spec.idField])
}

function Actions(props: {
  readonly spec: RecordSpec
  readonly record: Json
  readonly onOpen: (open: Open) => void
  readonly onDone: () => void
  readonly onError: (message: string) => void
}) {
  const { spec, record, onOpen, onDone, onError } = props
  const id = idOf(spec, record)
  const { blockBody } = spec
  const isBlocked = record['blocked'] === true
  const verb = isBlocked ? 'Unblock' : 'Block'
  return (
    <div class="row-actions">
      <button onClick={() => onOpen({ kind: 'edit', record })} aria-label={`Edit ${id}`}>
        Edit
      </button>
      {spec.hasMembers && (
        <button onClick={() => onOpen({ kind: 'members', record })} aria-label={`Members of ${id}`}>
          Members
        </button>
      )}
      {blockBody && (
        <ActionButton
          label={`${verb} ${id}`}
          onError={onError}
          action={async () => {
            await ask({ method: 'POST', path: `${spec.base}/${isBlocked ? 'unblock' : 'block'}`, body: blockBody(id) })
            onDone()
          }}
        >
          {verb}
        </ActionButton>
      )}
      <button class="danger" onClick={() => onOpen({ kind: 'delete', record })} aria-label={`Delete ${id}`}>
        Delete
      </button>
    </div>
  )
}

function RecordDialog(props: {
  readonly spec: RecordSpec
  readonly open: Open
  readonly onClose: () => void
  readonly onDone: () => void
}) {
  const { spec, open, onClose, onDone } = props
  const hint = spec.idIsRequired ? 'As calls will name it.' : 'Empty: a new one is made.'
  const idField: FormField = {
    name: spec.idField,
    label: 'Id',
    kind: 'text',
    hint,
    required: spec.idIsRequired ?? false,
    onlyNew: true,
  }
  if (open.kind === 'new') {
    const save = async (changes: Json): Promise<void> => {
      const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null))
      await ask({ method: 'POST', path: `${spec.base}/new`, body: { ...spec.fixed, ...given } })
      onDone()
    }
    return (
      <FormDialog
        title={`Create ${spec.noun}`}
        verb="Create"
        fields={[idField, ...spec.fields]}
        save={save}
        onClose={onClose}
      />
    )
  }
  const id = idOf(spec, open.record)
  if (open.kind === 'members') return <Members base={spec.base} idField={spec.idField} id={id} onClose={onClose} />
  if (open.kind === 'details') return <Details spec={spec} id={id} onClose={onClose} />
  if (open.kind === 'edit') {
    const save = async (changes: Json): Promise<void> => {
      await ask({ method: 'POST', path: `${spec.base}/update`, body: { [spec.idField]: id, ...changes } })
      onDone()
    }
    return (
      <FormDialog
        title={`Edit ${id}`}
        verb="Save"
        fields={spec.fields}
        record={open.record}
        save={save}
        onClose={onClose}
      />
    )
  }
  const remove = async (): Promise<void> => {
    await ask({ method: 'POST', path: `${spec.base}/delete`, body: spec.deleteBody(id) })
    onDone()
  }
  return (
    <Confirm title={`Delete ${id}`} verb="Delete" action={remove} onClose={onClose}>
      {spec.deleteWarning}
    </Confirm>
  )
}

function Details({
  spec,
  id,
  onClose,
}: {
  readonly spec: RecordSpec
  readonly id: string
  readonly onClose: () => void
}) {
  const { info } = spec
  const [loaded, reload] = useLoad(id, (signal) =>
    ask<Json>({ path: `${spec.base}/info`, ...(info && { query: info.query(id) }), signal }),
  )
  const inner = (answer: Json): Json => {
    const member = info?.member === undefined ? undefined : answer[info.member]
    return typeof member === 'object' && member !== null ? { ...member } : answer
  }
  return (
    <Dialog title={id} onClose={onClose}>
      <div class="body">
        <Loading of={loaded} retry={reload}>
          {(answer) => (
            <div class="stack">
              <BudgetStatus record={inner(answer)} label={`Budget of ${id}`} />
              <dl class="facts">
                {spec.fields.map(({ name, label }) => (
                  <Fact label={label} value={inner(answer)[name]} key={name} />
                ))}
                <Fact label="Keys" value={namesOf(answer['keys'])} />
                <Fact label="Members" value={membersOf(answer['team_memberships'])} />
                <Fact label="Created" value={inner(answer)['created_at']} />
                <Fact label="Created by" value={inner(answer)['created_by']} />
              </dl>
            </div>
          )}
        </Loading>
      </div>
    </Dialog>
  )
}

function namesOf(keys: unknown): readonly string[] {
  return Array.isArray(keys) ? keys.map((key: Json) => plainText(key['key_alias'] ?? key['key_name'])) : []
}

function membersOf(members: unknown): readonly string[] {
  return Array.isArray(members)
    ? members.map((member: Json) => `${plainText(member['user_id'])} (${plainText(member['role'])})`)
    : []
}
