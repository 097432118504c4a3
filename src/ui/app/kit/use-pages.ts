import { useState } from 'preact/hooks'
import { type Loaded, useLoad } from './use-load.js'

/** One page of a list, and where the next one begins. */
export interface ListPage<Row> {
  readonly rows: readonly Row[]
  readonly next: string | null
}

/** A list that is read page by page. */
export interface Pages<Row> {
  readonly loaded: Loaded<ListPage<Row>>
  readonly reload: () => void
  /** From 1. */
  readonly number: number
  readonly forward: (() => void) | undefined
  readonly back: (() => void) | undefined
}

/** Reads a list by its cursors; a new `key` (another filter) begins at the first page again. */
export function usePages<Row>(
  key: string,
  load: (after: string | undefined, signal: AbortSignal) => Promise<ListPage<Row>>,
): Pages<Row> {
  const [place, setPlace] = useState<{ readonly key: string; readonly cursors: readonly string[] }>({
    key,
    cursors: [],
  })
  const cursors = place.key === key ? place.cursors : []
  const after = cursors.at(-1)
  const [loaded, reload] = useLoad(JSON.stringify([key, after]), (signal) => load(after, signal))
  const next = loaded.state === 'ready' ? loaded.value.next : null
  return {
    loaded,
    reload,
    number: cursors.length + 1,
    forward: next === null ? undefined : () => setPlace({ key, cursors: [...cursors, next] }),
    back: cursors.length === 0 ? undefined : () => setPlace({ key, cursors: cursors.slice(0, -1) }),
  }
}
