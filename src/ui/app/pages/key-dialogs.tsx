import { type Json, ask } from '../api.js'
import { FormDialog } from '../kit/form.js'
import { plainText } from '../kit/format.js'
import { Confirm, Copyable, Dialog, Loading, Notice } from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'
import { Fact } from './fact.js'
import { keyFields } from './key-fields.js'
import { BudgetStatus } from './limits.js'

/** What is open above the list. */
export type OpenKey =
  | { readonly kind: 'new' }
  | { readonly kind: 'edit' | 'rotate' | 'delete' | 'details'; readonly key: Json }
  | { readonly kind: 'made'; readonly text: string }

/** What people know a key by. */
export function nameOf(key: Json): string {
  return plainText(key['key_alias'] ?? key['key_name'] ?? key['token'])
}

/** What is done to a key, or told of it. */
export function KeyDialog(props: {
  readonly open: OpenKey
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
function NewText({ text, onClose }: { readonly text: string; readonly onClose: () => void }) {
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
