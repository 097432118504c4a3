import { useRef, useState } from 'preact/hooks'
import { credential, messageOf } from '../api.js'
import { Field } from '../kit/form.js'
import { Badge, Notice } from '../kit/parts.js'
import type { ApiDocument, ApiOperation, Parameter, RequestExample } from './document.js'
import { toExample } from './example.js'
import { typeOf } from './schema.js'

interface Outcome {
  readonly status: number
  readonly tookMs: number
  readonly text: string
  readonly isDone: boolean
}

// More than this would make the page slow; the rest is not drawn.
const mostShown = 200_000

/** A form that sends one operation's request, and what came of it, as it comes. */
export function TryIt({ operation, document }: { readonly operation: ApiOperation; readonly document: ApiDocument }) {
  const { body, parameters, examples } = operation
  const [values, setValues] = useState<Readonly<Record<string, string>>>(examples[0]?.values ?? {})
  const [text, setText] = useState(() => toText(examples[0], operation, document))
  const choose = (at: number): void => {
    setValues(examples[at]?.values ?? {})
    setText(toText(examples[at], operation, document))
  }
  const [outcome, setOutcome] = useState<Outcome>()
  const [problem, setProblem] = useState<string>()
  const running = useRef<AbortController>(undefined)
  const busy = outcome !== undefined && !outcome.isDone
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault()
    setProblem(undefined)
    const controller = new AbortController()
    running.current = controller
    try {
      await sendRequest({ operation, document, values, text, signal: controller.signal }, setOutcome)
    } catch (error) {
      setOutcome((before) => before && { ...before, isDone: true })
      setProblem(controller.signal.aborted ? 'Stopped.' : messageOf(error))
    }
  }
  return (
    <form
      class="stack try"
      onSubmit={(event) => void submit(event)}
      aria-label={`Try ${operation.method} ${operation.path}`}
    >
      {examples.length > 1 && (
        <label class="field">
          <span>Example</span>
          <select onChange={(event) => choose(event.currentTarget.selectedIndex)}>
            {examples.map(({ summary }) => (
              <option key={summary}>{summary}</option>
            ))}
          </select>
        </label>
      )}
      <Fields
        parameters={parameters.filter(({ in: place }) => place !== 'header')}
        {...{ values, setValues, document }}
      />
      <details>
        <summary>Headers</summary>
        <Fields
          parameters={parameters.filter(({ in: place }) => place === 'header')}
          {...{ values, setValues, document }}
        />
      </details>
      {body && (
        <label class="field">
          <span>Body</span>
          <textarea
            class="mono"
            rows={Math.min(16, text.split('\n').length + 1)}
            spellcheck={false}
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
      )}
      <div class="actions">
        <button class="primary" disabled={busy}>
          Send
        </button>
        {busy && (
          <button type="button" onClick={() => running.current?.abort()}>
            Stop
          </button>
        )}
      </div>
      {problem && <Notice tone="bad">{problem}</Notice>}
      {outcome && <Answer outcome={outcome} />}
    </form>
  )
}

interface FieldsProps {
  readonly parameters: readonly Parameter[]
  readonly values: Readonly<Record<string, string>>
  readonly setValues: (values: Readonly<Record<string, string>>) => void
  readonly document: ApiDocument
}

function Fields({ parameters, values, setValues, document }: FieldsProps) {
  if (parameters.length === 0) return null
  return (
    <div class="fields">
      {parameters.map(({ name, description, required, schema, in: place }) => (
        <Field
          key={name}
          field={{
            name,
            label: name,
            kind: 'text',
            required,
            hint: [description, `${typeOf(schema, document)}, in the ${place}`].filter((part) => part !== '').join(' '),
          }}
          value={values[name] ?? ''}
          onChange={(value) => setValues({ ...values, [name]: value })}
        />
      ))}
    </div>
  )
}

/** The body of an example; without one what its schema allows. */
function toText(example: RequestExample | undefined, { body }: ApiOperation, document: ApiDocument): string {
  if (!body) return ''
  return JSON.stringify(example?.body ?? toExample(body, document), null, 2)
}

function Answer({ outcome: { status, tookMs, text } }: { readonly outcome: Outcome }) {
  return (
    <div class="stack tight" aria-live="polite">
      <p>
        <Badge tone={status < 400 ? 'good' : 'bad'}>{status}</Badge> <span class="muted">{Math.round(tookMs)} ms</span>
      </p>
      <pre tabIndex={0} aria-label="Answer">
        {text}
      </pre>
    </div>
  )
}

interface Sent {
  readonly operation: ApiOperation
  readonly document: ApiDocument
  readonly values: Readonly<Record<string, string>>
  readonly text: string
  readonly signal: AbortSignal
}

async function sendRequest(sent: Sent, onOutcome: (outcome: Outcome) => void): Promise<void> {
  const { operation, text, signal } = sent
  const key = credential.get()
  const began = performance.now()
  const response = await fetch(toUrl(sent), {
    method: operation.method,
    headers: {
      ...(key !== null && { authorization: `Bearer ${key}` }),
      ...(operation.body && { 'content-type': 'application/json' }),
      ...headersOf(sent),
    },
    signal,
    ...(operation.body && { body: JSON.stringify(parseBody(text)) }),
  })
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let answer = ''
  const tell = (isDone: boolean): void =>
    onOutcome({
      status: response.status,
      tookMs: performance.now() - began,
      text: isDone ? pretty(answer) : answer,
      isDone,
    })
  tell(false)
  if (reader) {
    for (let step = await reader.read(); !step.done; step = await reader.read()) {
      answer = (answer + step.value).slice(0, mostShown)
      tell(false)
    }
  }
  tell(true)
}

function headersOf({ operation, values }: Sent): Record<string, string> {
  const given = operation.parameters.filter(({ in: place, name }) => place === 'header' && (values[name] ?? '') !== '')
  return Object.fromEntries(given.map(({ name }) => [name, values[name] ?? '']))
}

function toUrl({ operation, document, values }: Sent): URL {
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(values[name] ?? ''))
  const url = new URL(document.base + path)
  for (const parameter of operation.parameters) {
    const value = values[parameter.name] ?? ''
    if (parameter.in === 'query' && value !== '') url.searchParams.set(parameter.name, value)
  }
  return url
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('The body is not valid JSON.')
  }
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}
