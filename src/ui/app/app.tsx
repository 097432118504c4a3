import type { ComponentType } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import icon from './icon.svg'
import { credential, signInNeeded } from './api.js'
import { SignIn } from './sign-in.js'
import { ThemeButton } from './kit/theme.js'
import { Changes } from './pages/changes.js'
import { Keys } from './pages/keys.js'
import { Logs } from './pages/logs.js'
import { Models } from './pages/models.js'
import { Overview } from './pages/overview.js'
import { Playground } from './pages/playground.js'
import { SettingsPage } from './pages/settings.js'
import { Budgets, Customers, Organizations, Teams, Users } from './pages/record-specs.js'

interface Page {
  readonly name: string
  readonly title: string
  readonly content: ComponentType
}

/** Every page; the first is where one begins. Their addresses are fragments, so any server path will do. */
const pages: readonly [Page, ...Page[]] = [
  { name: 'overview', title: 'Overview', content: Overview },
  { name: 'keys', title: 'Keys', content: Keys },
  { name: 'teams', title: 'Teams', content: Teams },
  { name: 'organizations', title: 'Organizations', content: Organizations },
  { name: 'users', title: 'Users', content: Users },
  { name: 'customers', title: 'Customers', content: Customers },
  { name: 'tiers', title: 'Tiers', content: Budgets },
  { name: 'models', title: 'Models', content: Models },
  { name: 'logs', title: 'Logs', content: Logs },
  { name: 'changes', title: 'Changes', content: Changes },
  { name: 'playground', title: 'Playground', content: Playground },
  { name: 'settings', title: 'Settings', content: SettingsPage },
]

/** The whole page: who is let in, the menu, and what is chosen in it. */
export function App() {
  // Why the gateway let nobody in; the host's own login may do without a key.
  const [refusal, setRefusal] = useState<string>()
  useEffect(() => {
    const onNeeded = (event: Event): void => {
      if (event instanceof CustomEvent) setRefusal(String(event.detail))
    }
    window.addEventListener(signInNeeded, onNeeded)
    return () => window.removeEventListener(signInNeeded, onNeeded)
  }, [])
  if (refusal === undefined) return <Shell onLeave={() => setRefusal('')} />
  return <SignIn reason={credential.get() === null ? '' : refusal} onDone={() => setRefusal(undefined)} />
}

function Shell({ onLeave }: { readonly onLeave: () => void }) {
  const page = usePage()
  const main = useRef<HTMLElement>(null)
  const first = useRef(true)
  useEffect(() => {
    document.title = `${page.title} · Sluice`
    // The keyboard follows to the new content, but is not taken away when the page opens.
    if (!first.current) main.current?.focus()
    first.current = false
  }, [page])
  const leave = (): void => {
    credential.clear()
    onLeave()
  }
  const Content = page.content
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        Skip to content
      </a>
      <div class="side">
        <div class="brand">
          <img src={icon} alt="" /> Sluice
        </div>
        <nav aria-label="Pages">
          {pages.map(({ name, title }) => (
            <a href={`#/${name}`} aria-current={name === page.name ? 'page' : undefined} key={name}>
              {title}
            </a>
          ))}
          <a href="docs/">API docs</a>
        </nav>
        <div class="foot">
          <ThemeButton />
          {credential.get() !== null && <button onClick={leave}>Sign out</button>}
        </div>
      </div>
      <main id="main" tabIndex={-1} ref={main} key={page.name}>
        <Content />
      </main>
    </div>
  )
}

/** The page that the address names. */
function usePage(): Page {
  const [name, setName] = useState(nameOf)
  useEffect(() => {
    const onChange = (): void => setName(nameOf())
    window.addEventListener('hashchange', onChange)
    return () => window.removeEventListener('hashchange', onChange)
  }, [])
  return pages.find((page) => page.name === name) ?? pages[0]
}

function nameOf(): string {
  return /^#\/(\w+)/.exec(location.hash)?.[1] ?? ''
}
