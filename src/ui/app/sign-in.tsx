import type { TargetedEvent } from 'preact'
import { useState } from 'preact/hooks'
import { credential } from './api.js'
import { Field } from './kit/form.js'
import { Notice } from './kit/parts.js'

/** Asks for a key where the host's own login does not count; it is kept for this tab alone. */
export function SignIn(props: { readonly reason: string; readonly onDone: () => void }) {
  const [key, setKey] = useState('')
  const submit = (event: TargetedEvent<HTMLFormElement>): void => {
    event.preventDefault()
    credential.set(key.trim())
    props.onDone()
  }
  return (
    <main class="sign-in">
      <form class="card" onSubmit={submit}>
        <header>
          <h1>Sluice</h1>
        </header>
        <div class="body stack">
          {props.reason !== '' && <Notice tone="bad">{props.reason}</Notice>}
          <Field
            field={{
              name: 'key',
              label: 'Admin key',
              kind: 'secret',
              required: true,
              hint: 'The master key, or a key of an admin. It is forgotten when this tab is closed.',
            }}
            value={key}
            onChange={setKey}
          />
          <button class="primary">Sign in</button>
        </div>
      </form>
    </main>
  )
}
