import { useState } from 'preact/hooks'
import { type Json, credential } from '../api.js'
import { Field } from '../kit/form.js'
import { Empty, Loading } from '../kit/parts.js'
import { ThemeButton } from '../kit/theme.js'
import { useLoad } from '../kit/use-load.js'
import { type ApiDocument, type ApiOperation, toDocument } from './document.js'
import { Schema, typeOf } from './schema.js'
import { TryIt } from './try-it.js'

// Beside this page's folder, wherever that is served.
const descriptionUrl = new URL('../openapi.json', document.baseURI)

async function readDocument(signal: AbortSignal): Promise<ApiDocument> {
  const response = await fetch(descriptionUrl, { signal })
  if (!response.ok) throw new Error(`openapi.json cannot be read: the gateway answered ${response.status}.`)
  const answer: Json = await response.json()
  return toDocument(answer, descriptionUrl)
}

/** Every operation of `openapi.json`, its schemas, and a form to try it. */
export function Docs() {
  const [loaded, reload] = useLoad('openapi', readDocument)
  const [sought, setSought] = useState('')
  return (
    <main class="docs">
      <Loading of={loaded} retry={reload}>
        {(api) => (
          <>
            <header class="page-head">
              <div>
                <h1>
                  {api.title} API <span class="muted">v{api.version}</span>
                </h1>
                <p>{api.description}</p>
              </div>
              <div class="actions">
                <a class="button" href={descriptionUrl.href}>
                  openapi.json
                </a>
                <ThemeButton />
              </div>
            </header>
            <div class="docs-tools">
              <label class="field">
                <span>Find</span>
                <input
                  type="search"
                  value={sought}
                  placeholder="Path or words"
                  onInput={(event) => setSought(event.currentTarget.value)}
                />
              </label>
              <KeyField />
            </div>
            <Groups api={api} sought={sought.trim().toLowerCase()} />
          </>
        )}
      </Loading>
    </main>
  )
}

function KeyField() {
  const [key, setKey] = useState(() => credential.get() ?? '')
  const onChange = (text: string): void => {
    setKey(text)
    if (text.trim() === '') credential.clear()
    else credential.set(text.trim())
  }
  return <Field field={{ name: 'key', label: 'Key to try with', kind: 'secret' }} value={key} onChange={onChange} />
}

function Groups({ api, sought }: { readonly api: ApiDocument; readonly sought: string }) {
  const matches = ({ path, summary, method }: ApiOperation): boolean =>
    sought === '' || `${method} ${path} ${summary}`.toLowerCase().includes(sought)
  const groups = api.groups
    .map(({ name, operations }) => ({ name, operations: operations.filter(matches) }))
    .filter(({ operations }) => operations.length > 0)
  if (groups.length === 0) return <Empty title="Nothing found" />
  return (
    <div class="stack">
      {groups.map(({ name, operations }) => (
        <section key={name} aria-label={name}>
          <h2 class="group">{name}</h2>
          <div class="card">
            {operations.map((operation) => (
              <Operation key={operation.id} operation={operation} api={api} />
            ))}
          </div>
        </section>
      ))}
    </div>
  )
}

function Operation({ operation, api }: { readonly operation: ApiOperation; readonly api: ApiDocument }) {
  const { method, path, summary, description, needsKey, body } = operation
  // Drawn when it is opened: some schemas are long.
  const [wasOpened, setWasOpened] = useState(false)
  return (
    <details class="operation" id={operation.id} onToggle={() => setWasOpened(true)}>
      <summary>
        <span class={`method ${method.toLowerCase()}`}>{method}</span> <code>{path}</code>{' '}
        <span class="muted">{summary}</span>
      </summary>
      {wasOpened && (
        <div class="body stack">
          {description.map((paragraph) => (
            <p key={paragraph}>{paragraph}</p>
          ))}
          <p class="muted">{needsKey ? 'Needs a credential.' : 'Open to everybody.'}</p>
          {body && (
            <section>
              <h3>Body</h3>
              <Schema schema={body} document={api} />
            </section>
          )}
          <section>
            <h3>Answers</h3>
            {operation.responses.map(({ status, description, contents }) => (
              <Answer key={status} status={status} description={description} contents={contents} api={api} />
            ))}
          </section>
          <section>
            <h3>Try it</h3>
            <TryIt operation={operation} document={api} />
          </section>
        </div>
      )}
    </details>
  )
}

function Answer(props: ApiOperation['responses'][number] & { readonly api: ApiDocument }) {
  const { status, description, contents, api } = props
  return (
    <details class="answer-schema">
      <summary>
        <code>{status}</code> {description}
      </summary>
      {contents.map(({ type, schema, examples }) => (
        <div key={type}>
          <p class="muted">
            {type} · {typeOf(schema, api)}
          </p>
          <Schema schema={schema} document={api} />
          {examples.map(([shows, text]) => (
            <details key={shows}>
              <summary>Example: {shows}</summary>
              <pre tabIndex={0} aria-label={shows}>
                {text}
              </pre>
            </details>
          ))}
        </div>
      ))}
    </details>
  )
}
