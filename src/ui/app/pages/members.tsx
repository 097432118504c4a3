import { useState } from 'preact/hooks'
import { type Json, ask, messageOf } from '../api.js'
import { Field, type FormField } from '../kit/form.js'
import { plainText } from '../kit/format.js'
import { readListPage } from '../kit/list-page.js'
import { Pager } from '../kit/pager.js'
import { ActionButton, Dialog, Empty, Loading, Notice, Table } from '../kit/parts.js'
import { usePages } from '../kit/use-pages.js'

const userField: FormField = { name: 'user_id', label: 'User', kind: 'text', required: true, hint: 'Id of the user.' }

/** Roles by the field that names the group. */
const roles: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  team_id: [
    ['user', 'user'],
    ['admin', 'admin'],
  ],
  organization_id: [
    ['user', 'user'],
    ['org_admin', 'org_admin'],
  ],
}

/** Who has a place in a team or an organization; places are given and taken away here. */
export function Members(props: {
  readonly base: string
  readonly idField: string
  readonly id: string
  readonly onClose: () => void
}) {
  const { base, idField, id, onClose } = props
  const [problem, setProblem] = useState<string>()
  const pages = usePages<Json>(`${base} ${id}`, (after, signal) =>
    readListPage({ path: `${base}/members`, query: { [idField]: id }, member: 'members', after, signal }),
  )
  const change = async (path: string, body: Json): Promise<void> => {
    await ask({ method: 'POST', path: `${base}/${path}`, body: { [idField]: id, ...body } })
    setProblem(undefined)
    pages.reload()
  }
  return (
    <Dialog title={`Members of ${id}`} onClose={onClose}>
      <div class="body stack">
        <Add roles={roles[idField] ?? []} onAdd={(member) => change('member_add', { member })} onError={setProblem} />
        {problem && <Notice tone="bad">{problem}</Notice>}
        <Loading of={pages.loaded} retry={pages.reload}>
          {({ rows }) =>
            rows.length === 0 ? (
              <Empty title="No members yet" />
            ) : (
              <Table<Json>
                caption="Members"
                rows={rows}
                keyOf={({ user_id: user }) => plainText(user)}
                columns={[
                  { head: 'User', cell: ({ user_id: user }) => plainText(user) },
                  { head: 'Role', cell: ({ role }) => plainText(role) },
                  {
                    head: 'Actions',
                    cell: ({ user_id: user }) => (
                      <div class="row-actions">
                        <ActionButton
                          class="danger"
                          label={`Remove ${plainText(user)}`}
                          action={() => change('member_delete', { user_id: user })}
                          onError={setProblem}
                        >
                          Remove
                        </ActionButton>
                      </div>
                    ),
                  },
                ]}
              />
            )
          }
        </Loading>
        <Pager of={pages} />
      </div>
    </Dialog>
  )
}

function Add(props: {
  readonly roles: readonly (readonly [string, string])[]
  readonly onAdd: (member: Json) => Promise<void>
  readonly onError: (problem: string) => void
}) {
  const { roles: options, onAdd, onError } = props
  const [user, setUser] = useState('')
  const [role, setRole] = useState('user')
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    try {
      await onAdd({ user_id: user.trim(), role })
      setUser('')
    } catch (error) {
      onError(messageOf(error))
    }
  }
  return (
    <form class="fields" onSubmit={(event) => void submit(event)}>
      <Field field={userField} value={user} onChange={setUser} />
      <Field field={{ name: 'role', label: 'Role', kind: 'choice', options }} value={role} onChange={setRole} />
      <div class="actions whole">
        <button class="primary">Add member</button>
      </div>
    </form>
  )
}
