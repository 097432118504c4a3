import type { Pages } from './use-pages.js'

/** Steps through a list; nothing where all is on one page. */
export function Pager({ of: pages }: { readonly of: Pick<Pages<unknown>, 'number' | 'forward' | 'back'> }) {
  const { number, forward, back } = pages
  if (!forward && !back) return null
  return (
    <nav class="pager" aria-label="Pages">
      <button disabled={!back} onClick={back}>
        ‹ Newer
      </button>
      <span aria-live="polite">Page {number}</span>
      <button disabled={!forward} onClick={forward}>
        Older ›
      </button>
    </nav>
  )
}
