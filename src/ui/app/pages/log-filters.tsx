import { useState } from 'preact/hooks'
import { type Json, ask } from '../api.js'
import { Field, type FormField } from '../kit/form.js'
import { plainText } from '../kit/format.js'
import { useLoad } from '../kit/use-load.js'
import { outcomeChoices } from './outcome.js'

/** What is wanted of the log, as it is typed in. */
export type Filters = Readonly<Record<string, string>>

const scopes: readonly (readonly [string, string])[] = [
  ['', 'everybody'],
  ['user_id', 'user'],
  ['team_id', 'team'],
  ['organization_id', 'organization'],
  ['end_user', 'customer'],
]

function fieldsOf(keys: readonly string[], models: readonly string[]): readonly FormField[] {
  return [
    { name: 'key', label: 'Key', kind: 'text', suggestions: keys },
    { name: 'scope', label: 'Calls of', kind: 'choice', options: scopes },
    { name: 'id', label: 'Which one', kind: 'text' },
    { name: 'model_group', label: 'Model', kind: 'text', suggestions: models },
    {
      name: 'ending',
      label: 'Outcome',
      kind: 'choice',
      options: [
        ['', 'any'],
        ['status:success', 'all that succeeded'],
        ['status:failure', 'all that failed'],
        ...outcomeChoices,
      ],
    },
    { name: 'tag', label: 'Tag', kind: 'text' },
    { name: 'request_id', label: 'Request id', kind: 'text' },
    { name: 'start_date', label: 'From', kind: 'moment' },
    { name: 'end_date', label: 'Until', kind: 'moment' },
  ]
}

interface Names {
  readonly keys: readonly string[]
  readonly models: readonly string[]
}

/** Names that are offered while one types; the log can be searched without them. */
async function readNames(signal: AbortSignal): Promise<Names> {
  const [keys, models] = await Promise.all([
    ask<{ keys: readonly Json[] }>({ path: '/key/list', query: { return_full_object: true, limit: 200 }, signal }),
    ask<{ data: readonly { id: string }[] }>({ path: '/v1/models', signal }),
  ])
  return {
    keys: keys.keys.map((key) => plainText(key['key_alias'])).filter((name) => name !== ''),
    models: models.data.map(({ id }) => id),
  }
}

/** The form over the log; `onSearch` gets what was typed in when it is sent. */
export function LogFilters({ onSearch }: { readonly onSearch: (filters: Filters) => void }) {
  const [typed, setTyped] = useState<Filters>({})
  const [names] = useLoad('names', readNames)
  const { keys, models } = names.state === 'ready' ? names.value : { keys: [], models: [] }
  const submit = (event: Event): void => {
    event.preventDefault()
    onSearch(typed)
  }
  return (
    <form class="card filters" onSubmit={submit} role="search">
      {fieldsOf(keys, models).map((field) => (
        <Field
          key={field.name}
          field={field}
          value={typed[field.name] ?? ''}
          onChange={(text) => setTyped((before) => ({ ...before, [field.name]: text }))}
        />
      ))}
      <button class="primary">Search</button>
    </form>
  )
}

/** The query of `GET /calls`; a key that is named by its alias is looked up. */
export async function toQuery(filters: Filters, signal: AbortSignal): Promise<Readonly<Record<string, string>>> {
  const { key = '', scope = '', id = '', ending = '', start_date: from = '', end_date: until = '', ...others } = filters
  const [sort = '', wanted = ''] = ending.split(':')
  return {
    ...others,
    ...(key !== '' && { api_key: await toKey(key.trim(), signal) }),
    ...(scope !== '' && id !== '' && { [scope]: id }),
    ...(sort === 'status' && { status_filter: wanted }),
    ...(sort === 'outcome' && { outcome: wanted }),
    ...(from !== '' && { start_date: new Date(from).toISOString() }),
    ...(until !== '' && { end_date: new Date(until).toISOString() }),
  }
}

async function toKey(text: string, signal: AbortSignal): Promise<string> {
  if (/^sk-|^[\da-f]{64}$/.test(text)) return text
  const query = { key_alias: text, limit: 1 }
  const { keys } = await ask<{ keys: readonly string[] }>({ path: '/key/list', query, signal })
  return keys[0] ?? text
}
