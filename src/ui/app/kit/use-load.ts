import { useCallback, useEffect, useState } from 'preact/hooks'
import { ApiError, messageOf } from '../api.js'

/** How far something that is asked for has come; `value` of the last time stays while it is asked for again. */
export type Loaded<T> =
  | { readonly state: 'loading'; readonly value?: T }
  | { readonly state: 'ready'; readonly value: T }
  | { readonly state: 'failed'; readonly message: string; readonly status: number }

/** Asks when the page is shown and whenever `key` changes; `reload` asks again. An answer that came too late is dropped. */
export function useLoad<T>(key: string, load: (signal: AbortSignal) => Promise<T>): [Loaded<T>, () => void] {
  const [loaded, setLoaded] = useState<Loaded<T>>({ state: 'loading' })
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const controller = new AbortController()
    setLoaded((before) =>
      turn > 0 && before.state === 'ready' ? { state: 'loading', value: before.value } : { state: 'loading' },
    )
    load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setLoaded({ state: 'ready', value })
      },
      (error: unknown) => {
        if (controller.signal.aborted) return
        setLoaded({ state: 'failed', message: messageOf(error), status: error instanceof ApiError ? error.status : 0 })
      },
    )
    return () => controller.abort()
  }, [key, turn])
  const reload = useCallback(() => setTurn((before) => before + 1), [])
  return [loaded, reload]
}
