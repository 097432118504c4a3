import { Fragment } from 'preact'
import { useState } from 'preact/hooks'
import { type Json, ask, isJson } from '../api.js'
import { plainText } from '../kit/format.js'
import { CopyButton, Empty, Loading, PageHead } from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'

/** The configuration in force, to be read and searched; secrets are masked before they get here. */
export function SettingsPage() {
  const [loaded, reload] = useLoad('settings', (signal) => ask<Json>({ path: '/settings', signal }))
  const [wanted, setWanted] = useState('')
  const copied = loaded.state === 'ready' ? JSON.stringify(loaded.value, null, 2) : ''
  return (
    <>
      <PageHead title="Settings" lead="What is in force in this process. Set it in the gateway's options.">
        <form onSubmit={(event) => event.preventDefault()} role="search">
          <label class="field">
            <span>Find</span>
            <input
              type="search"
              value={wanted}
              placeholder="Name or value"
              onInput={(event) => setWanted(event.currentTarget.value)}
            />
          </label>
        </form>
        <CopyButton text={copied} label="Copy as JSON" />
      </PageHead>
      <Loading of={loaded} retry={reload}>
        {(settings) => <Groups settings={settings} wanted={wanted.trim().toLowerCase()} />}
      </Loading>
    </>
  )
}

function Groups({ settings, wanted }: { readonly settings: Json; readonly wanted: string }) {
  const groups = Object.entries(settings)
    .map(([name, value]) => ({ name, lines: toLines(value, '').filter((line) => isWanted(name, line, wanted)) }))
    .filter(({ lines }) => lines.length > 0)
  if (groups.length === 0) return <Empty title="Nothing found" />
  return (
    <div class="settings">
      {groups.map(({ name, lines }) => (
        <section class="card" aria-label={name} key={name}>
          <header>
            <h2>{name}</h2>
          </header>
          <div class="body">
            <dl class="facts">
              {lines.map(({ path, text }) => (
                <Fragment key={path}>
                  <dt class="mono">{path === '' ? name : path}</dt>
                  <dd>{text}</dd>
                </Fragment>
              ))}
            </dl>
          </div>
        </section>
      ))}
    </div>
  )
}

interface Line {
  /** As in `cooldown.durationMs`. */
  readonly path: string
  readonly text: string
}

/** Every value by its place; lists of words and numbers on one line. */
function toLines(value: unknown, path: string): readonly Line[] {
  if (Array.isArray(value) && value.some((member) => typeof member === 'object' && member !== null)) {
    return value.flatMap((member: unknown, at) => toLines(member, `${path}[${at}]`))
  }
  if (Array.isArray(value)) return [{ path, text: value.length === 0 ? 'none' : value.map(String).join(', ') }]
  if (!isJson(value)) return [{ path, text: textOf(value) }]
  const members = Object.entries(value)
  if (members.length === 0) return [{ path, text: 'none' }]
  return members.flatMap(([name, member]) => toLines(member, path === '' ? name : `${path}.${name}`))
}

function textOf(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'on' : 'off'
  return plainText(value) || 'not set'
}

function isWanted(group: string, { path, text }: Line, wanted: string): boolean {
  return `${group}.${path} ${text}`.toLowerCase().includes(wanted)
}
