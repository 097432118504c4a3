import { useEffect, useState } from 'preact/hooks'

const name = 'sluice.theme'
const prefersDark = matchMedia('(prefers-color-scheme: dark)')

type Theme = 'light' | 'dark'

function chosen(): Theme {
  const kept = localStorage.getItem(name)
  if (kept === 'light' || kept === 'dark') return kept
  return prefersDark.matches ? 'dark' : 'light'
}

/** Shows the theme that was chosen, else that of the system; called before anything is drawn. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = chosen()
}

/** Switches between light and dark. */
export function ThemeButton() {
  const [theme, setTheme] = useState(chosen)
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme
    // Charts draw their colours themselves.
    window.dispatchEvent(new Event('themechange'))
  }, [theme])
  const other = theme === 'dark' ? 'light' : 'dark'
  const choose = (): void => {
    localStorage.setItem(name, other)
    setTheme(other)
  }
  return <button onClick={choose}>{other === 'dark' ? 'Dark theme' : 'Light theme'}</button>
}
