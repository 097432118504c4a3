import { useEffect, useState } from 'preact/hooks'
import { type Json, ask, isJson } from '../api.js'
import { FormDialog, type FormField } from '../kit/form.js'
import { count, duration, moment } from '../kit/format.js'
import { ActionButton, Badge, type Column, Confirm, Empty, Loading, Notice, PageHead, Table } from '../kit/parts.js'
import { Pager } from '../kit/pager.js'
import { type ListPage, usePages } from '../kit/use-pages.js'
import type { DeploymentHealth, ModelInfo } from './model-types.js'

interface Row {
  readonly health: DeploymentHealth
  readonly info: ModelInfo | undefined
}

type Open = { readonly kind: 'new' } | { readonly kind: 'edit' | 'delete'; readonly row: Row }

const refreshMs = 10_000

/** One page of deployments: both lists are cut by the same ids. */
async function readRows(group: string, after: string | undefined, signal: AbortSignal): Promise<ListPage<Row>> {
  const query = { limit: 25, model_name: group, after }
  const [health, info] = await Promise.all([
    ask<{ deployments: readonly DeploymentHealth[]; next: string | null }>({
      path: '/health/deployments',
      query,
      signal,
    }),
    ask<{ data: readonly ModelInfo[] }>({ path: '/model/info', query, signal }),
  ])
  const byId = new Map(info.data.map((model) => [model.model_info['id'], model]))
  const rows = health.deployments.map((deployment) => ({ health: deployment, info: byId.get(deployment.id) }))
  return { rows, next: health.next }
}

/** Every deployment and how it is; those that were added here can be changed here. */
export function Models() {
  const [group, setGroup] = useState('')
  const pages = usePages<Row>(group, (after, signal) => readRows(group, after, signal))
  const { loaded, reload } = pages
  const [open, setOpen] = useState<Open>()
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    const timer = setInterval(() => document.visibilityState === 'visible' && reload(), refreshMs)
    return () => clearInterval(timer)
  }, [reload])
  const done = (): void => {
    setOpen(undefined)
    setProblem(undefined)
    reload()
  }
  return (
    <>
      <PageHead title="Models" lead="Deployments, how they are, and how fast they answer in this process.">
        <form onSubmit={(event) => event.preventDefault()}>
          <label class="field">
            <span>Of model</span>
            <input
              type="search"
              value={group}
              placeholder="Model name"
              onChange={(event) => setGroup(event.currentTarget.value.trim())}
            />
          </label>
        </form>
        <button onClick={reload}>Refresh</button>
        <button class="primary" onClick={() => setOpen({ kind: 'new' })}>
          Add deployment
        </button>
      </PageHead>
      {problem && <Notice tone="bad">{problem}</Notice>}
      <div class="card">
        <Loading of={loaded} retry={reload}>
          {({ rows }) =>
            rows.length === 0 ? (
              <Empty title="No deployments">Add one, or list models in the options of the gateway.</Empty>
            ) : (
              <Table
                caption="Deployments"
                columns={[
                  ...columns,
                  { head: 'Actions', cell: (row) => <Actions row={row} onOpen={setOpen} onError={setProblem} /> },
                ]}
                rows={rows}
                keyOf={({ health }) => health.id}
              />
            )
          }
        </Loading>
        <Pager of={pages} />
      </div>
      {open && <ModelDialog open={open} onClose={() => setOpen(undefined)} onDone={done} />}
    </>
  )
}

const columns: readonly Column<Row>[] = [
  {
    head: 'Model',
    cell: ({ health }) => (
      <>
        <strong>{health.model_name}</strong>
        <span class="sub mono">
          {health.provider}/{health.model}
        </span>
      </>
    ),
  },
  { head: 'State', cell: ({ health }) => <State of={health} /> },
  { head: 'In flight', cell: ({ health }) => count(health.in_flight), numeric: true },
  {
    head: 'This minute',
    cell: ({ health }) => (
      <>
        {count(health.requests_this_minute)} {health.requests_this_minute === 1 ? 'call' : 'calls'}
        <span class="sub">{count(health.tokens_this_minute)} tokens</span>
      </>
    ),
    numeric: true,
  },
  { head: 'First token p50', cell: ({ health }) => duration(health.first_token_ms.p50), numeric: true },
  { head: 'p95', cell: ({ health }) => duration(health.first_token_ms.p95), numeric: true },
  { head: 'Price per million', cell: ({ info }) => <Price of={info} />, numeric: true },
]

const states = {
  healthy: ['good', 'healthy'],
  cooling: ['bad', 'resting'],
  half_open: ['warn', 'on probation'],
} as const

function State({ of: health }: { readonly of: DeploymentHealth }) {
  const [tone, word] = states[health.state]
  return (
    <>
      <Badge tone={tone}>{word}</Badge>
      {health.cause && (
        <span class="sub">
          {health.cause.kind} ({health.cause.status}){health.cooling_until && ` until ${moment(health.cooling_until)}`}
        </span>
      )}
    </>
  )
}

function Price({ of: info }: { readonly of: ModelInfo | undefined }) {
  const rates = [info?.model_info['input_cost_per_token'], info?.model_info['output_cost_per_token']]
  if (!rates.some((rate) => typeof rate === 'number')) return <span class="muted">not known</span>
  const [input, output] = rates.map((rate) => (typeof rate === 'number' ? `$${+(rate * 1e6).toPrecision(6)}` : '–'))
  return (
    <>
      {input} in<span class="sub">{output} out</span>
    </>
  )
}

function Actions(props: {
  readonly row: Row
  readonly onOpen: (open: Open) => void
  readonly onError: (problem: string | undefined) => void
}) {
  const { row, onOpen, onError } = props
  const { health, info } = row
  const [took, setTook] = useState<number>()
  const test = async (): Promise<void> => {
    setTook(undefined)
    const began = performance.now()
    // A deployment's id as the model's name asks it alone.
    const model = health.model_name.includes('*') ? health.model_name : health.id
    const body = { model, max_tokens: 16, messages: [{ role: 'user', content: 'Answer with one word: hello.' }] }
    await ask({ method: 'POST', path: '/v1/chat/completions', body })
    setTook(performance.now() - began)
    onError(undefined)
  }
  const name = `${health.model_name} (${health.provider}/${health.model})`
  const isOurs = info?.model_info['db_model'] === true
  return (
    <div class="row-actions">
      {took !== undefined && (
        <span role="status">
          <Badge tone="good">answered in {duration(took)}</Badge>
        </span>
      )}
      <ActionButton action={test} onError={onError} label={`Test ${name}`}>
        Test
      </ActionButton>
      {isOurs && (
        <>
          <button onClick={() => onOpen({ kind: 'edit', row })} aria-label={`Edit ${name}`}>
            Edit
          </button>
          <button class="danger" onClick={() => onOpen({ kind: 'delete', row })} aria-label={`Delete ${name}`}>
            Delete
          </button>
        </>
      )}
    </div>
  )
}

const parameterFields: readonly FormField[] = [
  { name: 'model', label: 'Provider and model', kind: 'text', required: true, hint: 'Such as openai/gpt-5-mini.' },
  { name: 'api_key', label: 'API key', kind: 'secret', hint: 'Kept encrypted; never shown again.' },
  { name: 'api_base', label: 'Address', kind: 'text', hint: "Empty: the provider's own." },
  { name: 'rpm', label: 'Requests a minute', kind: 'number' },
  { name: 'tpm', label: 'Tokens a minute', kind: 'number' },
  { name: 'weight', label: 'Weight', kind: 'number' },
]
const fields: readonly FormField[] = [
  { name: 'model_name', label: 'Model name', kind: 'text', required: true, hint: 'What callers ask for.' },
  ...parameterFields,
  {
    name: 'more',
    label: 'Further parameters',
    kind: 'json',
    hint: "Members of litellm_params, such as a provider's region.",
  },
]

/** Apart from the model's name, all that is typed in is a parameter. */
function toBody({ model_name: name, more, ...params }: Json): Json {
  const all = { ...params, ...(isJson(more) && more) }
  return {
    ...(name !== undefined && { model_name: name }),
    ...(Object.keys(all).length > 0 && { litellm_params: all }),
  }
}

function ModelDialog(props: { readonly open: Open; readonly onClose: () => void; readonly onDone: () => void }) {
  const { open, onClose, onDone } = props
  if (open.kind === 'new') {
    const save = async (changes: Json): Promise<void> => {
      const given = Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== null))
      await ask({ method: 'POST', path: '/model/new', body: toBody(given) })
      onDone()
    }
    return <FormDialog title="Add deployment" verb="Add" fields={fields} save={save} onClose={onClose} />
  }
  const { health, info } = open.row
  if (open.kind === 'edit') {
    const save = async (changes: Json): Promise<void> => {
      await ask({ method: 'POST', path: '/model/update', body: { id: health.id, ...toBody(changes) } })
      onDone()
    }
    const { api_key: _, ...shown } = info?.litellm_params ?? {}
    const record = { model_name: health.model_name, ...shown }
    return (
      <FormDialog
        title={`Edit ${health.model_name}`}
        verb="Save"
        fields={fields}
        record={record}
        save={save}
        onClose={onClose}
      />
    )
  }
  const remove = async (): Promise<void> => {
    await ask({ method: 'POST', path: '/model/delete', body: { id: health.id } })
    onDone()
  }
  return (
    <Confirm title={`Delete ${health.model_name}`} verb="Delete" action={remove} onClose={onClose}>
      The deployment {health.provider}/{health.model} takes no further calls, in any process. Its API key is forgotten.
    </Confirm>
  )
}
