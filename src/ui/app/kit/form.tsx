import type { TargetedEvent } from 'preact'
import { useId, useState } from 'preact/hooks'
import { ApiError, type Json, messageOf } from '../api.js'
import { plainText } from './format.js'
import { Dialog, Notice } from './parts.js'

/** One field of a form: how it is asked for, and what it is in the request's body. */
export interface FormField {
  readonly name: string
  readonly label: string
  readonly kind: 'text' | 'secret' | 'number' | 'date' | 'moment' | 'list' | 'json' | 'choice'
  readonly hint?: string
  readonly required?: boolean
  /** Of `choice`: value and text. */
  readonly options?: readonly (readonly [value: string, text: string])[]
  /** Names that are offered while one types. */
  readonly suggestions?: readonly string[]
  /** Can only be given when the record is made. */
  readonly onlyNew?: boolean
}

type Texts = Readonly<Record<string, string>>

/** What a form shows of a record. */
export function toTexts(fields: readonly FormField[], record: Json): Texts {
  return Object.fromEntries(fields.map(({ name, kind }) => [name, toText(kind, record[name])]))
}

function toText(kind: FormField['kind'], value: unknown): string {
  if (value === null || value === undefined) return ''
  if (kind === 'list') return Array.isArray(value) ? value.join(', ') : ''
  if (kind === 'json') return JSON.stringify(value) === '{}' ? '' : JSON.stringify(value, null, 2)
  return plainText(value)
}

/** The fields that were changed; null for those that were emptied. @throws ApiError for JSON that is none */
export function toChanges(fields: readonly FormField[], before: Texts, after: Texts): Json {
  const changed = fields.filter(({ name }) => (after[name] ?? '').trim() !== (before[name] ?? '').trim())
  return Object.fromEntries(changed.map((field) => [field.name, toValue(field, (after[field.name] ?? '').trim())]))
}

function toValue({ kind, name, label }: FormField, text: string): unknown {
  if (text === '') return null
  if (kind === 'number') return Number(text)
  if (kind === 'list')
    return text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== '')
  if (kind !== 'json') return text
  try {
    return JSON.parse(text)
  } catch {
    throw new ApiError(`${label} is not valid JSON.`, 0, name)
  }
}

/** A form in a dialog. `save` gets only what was changed; what it throws is shown, at its field where it names one. */
export function FormDialog(props: {
  readonly title: string
  readonly fields: readonly FormField[]
  /** The record to change; undefined to make one. */
  readonly record?: Json | undefined
  readonly verb: string
  readonly save: (changes: Json) => Promise<void>
  readonly onClose: () => void
}) {
  const fields = props.record ? props.fields.filter(({ onlyNew }) => !onlyNew) : props.fields
  const [before] = useState(() => toTexts(fields, props.record ?? {}))
  const [after, setAfter] = useState(before)
  const [problem, setProblem] = useState<{ readonly message: string; readonly param: string | undefined }>()
  const [busy, setBusy] = useState(false)
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    setBusy(true)
    try {
      await props.save(toChanges(fields, before, after))
    } catch (error) {
      setProblem({ message: messageOf(error), param: error instanceof ApiError ? error.param : undefined })
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <form onSubmit={(event) => void submit(event)}>
        <div class="body fields">
          {fields.map((field) => (
            <Field
              key={field.name}
              field={field}
              value={after[field.name] ?? ''}
              isWrong={problem?.param === field.name}
              onChange={(text) => setAfter({ ...after, [field.name]: text })}
            />
          ))}
          {problem && <Notice tone="bad">{problem.message}</Notice>}
        </div>
        <footer>
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button class="primary" disabled={busy} aria-busy={busy}>
            {props.verb}
          </button>
        </footer>
      </form>
    </Dialog>
  )
}

/** One field with its label and hint. */
export function Field(props: {
  readonly field: FormField
  readonly value: string
  readonly isWrong?: boolean
  readonly onChange: (text: string) => void
}) {
  const { field, value, isWrong } = props
  const id = useId()
  const onInput = (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>): void =>
    props.onChange(event.currentTarget.value)
  const shared = {
    id,
    value,
    required: field.required ?? false,
    onInput,
    'aria-invalid': isWrong ?? false,
    ...(field.hint && { 'aria-describedby': `${id}-hint` }),
  }
  return (
    <div class={`field ${field.kind === 'json' ? 'whole' : ''}`}>
      <label for={id}>{field.label}</label>
      <Control field={field} shared={shared} />
      {field.hint && (
        <small id={`${id}-hint`} class="hint">
          {field.hint}
        </small>
      )}
    </div>
  )
}

interface Shared {
  readonly id: string
  readonly value: string
  readonly required: boolean
  readonly onInput: (event: TargetedEvent<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>) => void
  readonly 'aria-invalid': boolean
}

function Control({ field, shared }: { readonly field: FormField; readonly shared: Shared }) {
  const list = `${shared.id}-list`
  if (field.kind === 'json') return <textarea {...shared} rows={4} spellcheck={false} />
  if (field.kind === 'choice') {
    return (
      <select {...shared}>
        {field.options?.map(([value, text]) => (
          <option value={value} key={value}>
            {text}
          </option>
        ))}
      </select>
    )
  }
  if (field.kind === 'number') return <input {...shared} type="number" min={0} step="any" inputMode="decimal" />
  if (field.kind === 'date') return <input {...shared} type="date" />
  if (field.kind === 'moment') return <input {...shared} type="datetime-local" />
  if (field.kind === 'secret') return <input {...shared} type="password" autocomplete="off" />
  if (!field.suggestions) return <input {...shared} type="text" autocomplete="off" />
  return (
    <>
      <input {...shared} type="text" autocomplete="off" list={list} />
      <datalist id={list}>
        {field.suggestions.map((name) => (
          <option value={name} key={name} />
        ))}
      </datalist>
    </>
  )
}
