import type { ComponentChildren, TargetedEvent } from 'preact'
import { useId, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { messageOf } from '../api.js'
import type { Loaded } from './use-load.js'

type Tone = 'good' | 'bad' | 'warn' | 'plain'

/** A word with a colour; the word alone says it, too. */
export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ComponentChildren }) {
  return <span class={`badge ${tone}`}>{children}</span>
}

/** Tells of something that failed or worked; read out as it appears. */
export function Notice({ tone, children }: { readonly tone: 'good' | 'bad'; readonly children: ComponentChildren }) {
  return (
    <div class={`notice ${tone}`} role={tone === 'bad' ? 'alert' : 'status'}>
      {children}
    </div>
  )
}

/** Stands in while something loads or where it failed; the content gets the value once it is there. */
export function Loading<T>(props: {
  readonly of: Loaded<T>
  readonly retry: () => void
  readonly children: (value: T) => ComponentChildren
}) {
  const { of: loaded, retry, children } = props
  if (loaded.state === 'failed') {
    return (
      <Notice tone="bad">
        <span>{loaded.message}</span> <button onClick={retry}>Try again</button>
      </Notice>
    )
  }
  if (loaded.value === undefined) {
    return (
      <div class="skeleton" role="status" aria-label="Loading">
        <i />
        <i />
        <i />
      </div>
    )
  }
  return <>{children(loaded.value)}</>
}

/** Says that there is nothing yet, and what to do about it. */
export function Empty({ title, children }: { readonly title: string; readonly children?: ComponentChildren }) {
  return (
    <div class="empty">
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  )
}

/** Heading of a page with its actions. */
export function PageHead(props: {
  readonly title: string
  readonly lead?: string
  readonly children?: ComponentChildren
}) {
  return (
    <header class="page-head">
      <div>
        <h1>{props.title}</h1>
        {props.lead && <p>{props.lead}</p>}
      </div>
      <div class="actions">{props.children}</div>
    </header>
  )
}

/** A modal of the browser's own: it keeps the focus, closes on Escape, and gives the focus back. */
export function Dialog(props: {
  readonly title: string
  readonly wide?: boolean
  readonly onClose: () => void
  readonly children: ComponentChildren
}) {
  const ref = useRef<HTMLDialogElement>(null)
  const title = useId()
  // Before anything else may take the focus: an effect comes after the browser has painted, or later where it is busy.
  useLayoutEffect(() => {
    const dialog = ref.current
    const before = document.activeElement
    dialog?.showModal()
    return () => {
      dialog?.close()
      // By the time that this runs, the browser may have no dialog left to give the focus back from.
      if (before instanceof HTMLElement) before.focus()
    }
  }, [])
  // Not `close`, which also comes, late, of a dialog that has given way to the next one.
  const onCancel = (event: Event): void => {
    event.preventDefault()
    props.onClose()
  }
  return (
    <dialog ref={ref} class={props.wide ? 'wide' : ''} aria-labelledby={title} onCancel={onCancel}>
      <header>
        <h2 id={title}>{props.title}</h2>
        <button class="quiet" aria-label="Close" onClick={props.onClose}>
          ✕
        </button>
      </header>
      {props.children}
    </dialog>
  )
}

/** A button whose work takes a while: it cannot be pressed twice, and tells what went wrong. */
export function ActionButton(props: {
  readonly action: () => Promise<void>
  readonly onError: (message: string) => void
  readonly class?: string
  readonly label?: string
  readonly disabled?: boolean
  readonly children: ComponentChildren
}) {
  const [busy, setBusy] = useState(false)
  const run = (): void => {
    setBusy(true)
    props
      .action()
      .catch((error: unknown) => props.onError(messageOf(error)))
      .finally(() => setBusy(false))
  }
  return (
    <button
      class={props.class ?? ''}
      disabled={busy || (props.disabled ?? false)}
      aria-busy={busy}
      aria-label={props.label}
      onClick={run}
    >
      {props.children}
    </button>
  )
}

/** Asks before something that cannot be undone. */
export function Confirm(props: {
  readonly title: string
  readonly verb: string
  readonly action: () => Promise<void>
  readonly onClose: () => void
  readonly children: ComponentChildren
}) {
  const [problem, setProblem] = useState<string>()
  return (
    <Dialog title={props.title} onClose={props.onClose}>
      <div class="body">
        <p>{props.children}</p>
        {problem && <Notice tone="bad">{problem}</Notice>}
      </div>
      <footer>
        <button onClick={props.onClose}>Cancel</button>
        <ActionButton class="danger" action={props.action} onError={setProblem}>
          {props.verb}
        </ActionButton>
      </footer>
    </Dialog>
  )
}

/** A button that puts a text on the clipboard, and says whether it did. */
export function CopyButton({ text, label = 'Copy' }: { readonly text: string; readonly label?: string }) {
  const [done, setDone] = useState<'copied' | 'failed'>()
  const copy = (): void => {
    navigator.clipboard.writeText(text).then(
      () => setDone('copied'),
      () => setDone('failed'),
    )
  }
  return (
    <>
      <button type="button" onClick={copy} disabled={text === ''}>
        {done === 'copied' ? 'Copied' : label}
      </button>
      {done === 'failed' && <span role="status">Copy it by hand: the browser does not allow it here.</span>}
    </>
  )
}

/** Text to be copied. */
export function Copyable({ text, label }: { readonly text: string; readonly label: string }) {
  return (
    <div class="copyable">
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <CopyButton text={text} />
    </div>
  )
}

/** How much of a budget is used; the figures stand beside it. */
export function Gauge({ used, of, label }: { readonly used: number; readonly of: number; readonly label: string }) {
  const share = of > 0 ? Math.min(1, used / of) : 1
  const tone = share >= 0.9 ? 'bad' : share >= 0.7 ? 'warn' : 'good'
  const percent = Math.round(share * 100)
  return (
    <div
      class={`gauge ${tone}`}
      role="meter"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent}
    >
      <i style={{ width: `${percent}%` }} />
    </div>
  )
}

/** A column of a table: its head, and the cell of a row. */
export interface Column<Row> {
  readonly head: string
  readonly cell: (row: Row) => ComponentChildren
  readonly numeric?: boolean
}

/** Rows; on a phone each becomes a card whose cells carry their heads. */
export function Table<Row>(props: {
  readonly caption: string
  readonly columns: readonly Column<Row>[]
  readonly rows: readonly Row[]
  readonly keyOf: (row: Row) => string
}) {
  const { columns } = props
  return (
    <div class="table" tabIndex={0} role="region" aria-label={props.caption}>
      <table>
        <thead>
          <tr>
            {columns.map(({ head, numeric }) => (
              <th scope="col" class={numeric ? 'number' : ''} key={head}>
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {props.rows.map((row) => (
            <tr key={props.keyOf(row)}>
              {columns.map(({ head, cell, numeric }) => (
                <td class={numeric ? 'number' : ''} data-head={head} key={head}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

/** A labelled choice. */
export function Select(props: {
  readonly label: string
  readonly value: string
  readonly options: readonly (readonly [value: string, text: string])[]
  readonly onChange: (value: string) => void
}) {
  const onChange = (event: TargetedEvent<HTMLSelectElement>): void => props.onChange(event.currentTarget.value)
  return (
    <label class="field">
      <span>{props.label}</span>
      <select value={props.value} onChange={onChange}>
        {props.options.map(([value, text]) => (
          <option value={value} key={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  )
}
