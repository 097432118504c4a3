import type { TargetedEvent, TargetedKeyboardEvent } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { type Json, ask, messageOf } from '../api.js'
import { Field } from '../kit/form.js'
import { Copyable, Empty, Loading, Notice, PageHead } from '../kit/parts.js'
import { useLoad } from '../kit/use-load.js'
import { type Language, languages, toCode } from './code.js'
import { Lane, type LaneState, idle } from './lane.js'
import { type ChatRequest, streamChat } from './stream-chat.js'

interface ModelList {
  readonly data: readonly { readonly id: string }[]
}

/** Talks to one model, or to two side by side. */
export function Playground() {
  const [loaded, reload] = useLoad('models', (signal) => ask<ModelList>({ path: '/v1/models', signal }))
  return (
    <>
      <PageHead title="Playground" lead="Try a model as a caller would, alone or beside another." />
      <Loading of={loaded} retry={reload}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty title="No models yet">Add one on the page Models.</Empty>
          ) : (
            <Bench models={data.map(({ id }) => id)} />
          )
        }
      </Loading>
    </>
  )
}

interface Settings {
  readonly system: string
  readonly temperature: string
  readonly maxTokens: string
  readonly tools: string
}

const unset: Settings = { system: '', temperature: '', maxTokens: '', tools: '' }

function Bench({ models }: { readonly models: readonly string[] }) {
  const [chosen, setChosen] = useState<readonly string[]>([models.find((id) => !id.includes('*')) ?? ''])
  const [lanes, setLanes] = useState<readonly LaneState[]>([idle])
  const [settings, setSettings] = useState(unset)
  const [prompt, setPrompt] = useState('')
  const [image, setImage] = useState<string>()
  const [problem, setProblem] = useState<string>()
  const running = useRef<AbortController>(undefined)
  const busy = lanes.some(({ state }) => state === 'running')

  const setLane = (at: number, change: (lane: LaneState) => LaneState): void =>
    setLanes((before) => before.map((lane, place) => (place === at ? change(lane) : lane)))
  const compare = (): void => {
    setChosen(
      chosen.length === 1
        ? [...chosen, models.find((id) => id !== chosen[0] && !id.includes('*')) ?? chosen[0] ?? '']
        : chosen.slice(0, 1),
    )
    setLanes(chosen.length === 1 ? [...lanes, idle] : lanes.slice(0, 1))
  }
  const submit = (event: Event): void => {
    event.preventDefault()
    if (busy) return
    try {
      const turn = toTurn(prompt, image)
      const requests = chosen.map((model, at) => toRequest(model, [...(lanes[at]?.turns ?? []), turn], settings))
      running.current = new AbortController()
      setProblem(undefined)
      setPrompt('')
      setImage(undefined)
      for (const [at, request] of requests.entries()) {
        void run(request, (change) => setLane(at, change), running.current.signal)
      }
    } catch (error) {
      setProblem(messageOf(error))
    }
  }
  return (
    <div class="stack">
      <Choice models={models} settings={settings} onChange={setSettings} />
      <div class="lanes">
        {lanes.map((lane, at) => (
          <Lane
            key={at}
            lane={lane}
            models={models}
            model={chosen[at] ?? ''}
            label={lanes.length === 1 ? 'Model' : `Model ${at + 1}`}
            onModel={(model) => setChosen(chosen.map((before, place) => (place === at ? model : before)))}
          />
        ))}
      </div>
      {problem && <Notice tone="bad">{problem}</Notice>}
      <form class="card" onSubmit={submit}>
        <div class="body stack">
          <Prompt value={prompt} onChange={setPrompt} onImage={setImage} image={image} />
          <Buttons
            busy={busy}
            canSend={chosen.every((model) => model !== '')}
            isAlone={chosen.length === 1}
            onStop={() => running.current?.abort()}
            onCompare={compare}
            onClear={() => setLanes(lanes.map(() => idle))}
          />
        </div>
      </form>
      {lanes[0]?.request && <Code request={lanes[0].request} />}
    </div>
  )
}

function Buttons(props: {
  readonly busy: boolean
  readonly canSend: boolean
  readonly isAlone: boolean
  readonly onStop: () => void
  readonly onCompare: () => void
  readonly onClear: () => void
}) {
  const { busy, canSend, isAlone, onStop, onCompare, onClear } = props
  return (
    <div class="actions">
      <button class="primary" disabled={busy || !canSend}>
        Send
      </button>
      {busy && (
        <button type="button" onClick={onStop}>
          Stop
        </button>
      )}
      <button type="button" disabled={busy} onClick={onCompare}>
        {isAlone ? 'Compare two models' : 'One model'}
      </button>
      <button type="button" disabled={busy} onClick={onClear}>
        Clear
      </button>
    </div>
  )
}

/** Streams into a lane, and looks up what it cost. */
async function run(
  request: ChatRequest,
  change: (next: (lane: LaneState) => LaneState) => void,
  signal: AbortSignal,
): Promise<void> {
  const began = performance.now()
  change(() => ({ ...idle, state: 'running', turns: request.messages.filter(isTurn), request }))
  let requestId = ''
  try {
    const progress = await streamChat(
      request,
      {
        start: (start) => {
          requestId = start.requestId
          change((lane) => ({ ...lane, deployment: start.deployment }))
        },
        progress: (told) => {
          const now = performance.now() - began
          change((lane) => ({ ...lane, progress: told, firstMs: lane.firstMs ?? now }))
        },
      },
      signal,
    )
    const answer = { role: 'assistant', content: progress.text || toolText(progress.toolCalls) }
    change((lane) => ({ ...lane, state: 'done', tookMs: performance.now() - began, turns: [...lane.turns, answer] }))
    const cost = await costOf(requestId)
    change((lane) => ({ ...lane, cost }))
  } catch (error) {
    const message = signal.aborted ? 'Stopped.' : messageOf(error)
    change((lane) => ({ ...lane, state: 'failed', problem: message }))
  }
}

/** Undefined where no ledger is kept, or the row is not there yet. */
async function costOf(requestId: string): Promise<number | undefined> {
  interface Logs {
    readonly data: readonly { readonly spend: number }[]
  }
  const query = { request_id: requestId }
  const logs = await ask<Logs>({ path: '/spend/logs/v2', query }).catch(() => undefined)
  if (!logs || logs.data.length === 0) return undefined
  return logs.data.reduce((sum, { spend }) => sum + spend, 0)
}

function isTurn({ role }: Json): boolean {
  return role !== 'system'
}

function toolText(calls: readonly { readonly name: string; readonly arguments: string }[]): string {
  return calls.map((call) => `${call.name}(${call.arguments})`).join('\n')
}

function toTurn(prompt: string, image: string | undefined): Json {
  if (image === undefined) return { role: 'user', content: prompt }
  const parts = [
    { type: 'text', text: prompt },
    { type: 'image_url', image_url: { url: image } },
  ]
  return { role: 'user', content: parts }
}

function toRequest(model: string, turns: readonly Json[], settings: Settings): ChatRequest {
  const { system, temperature, maxTokens, tools } = settings
  return {
    model,
    messages: [...(system === '' ? [] : [{ role: 'system', content: system }]), ...turns],
    ...(temperature !== '' && { temperature: Number(temperature) }),
    ...(maxTokens !== '' && { max_tokens: Number(maxTokens) }),
    ...(tools.trim() !== '' && { tools: readTools(tools) }),
  }
}

function readTools(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('The tools are not valid JSON.')
  }
}

function Choice(props: {
  readonly models: readonly string[]
  readonly settings: Settings
  readonly onChange: (settings: Settings) => void
}) {
  const { settings, onChange } = props
  const set = (name: keyof Settings) => (text: string) => onChange({ ...settings, [name]: text })
  return (
    <details class="card">
      <summary>Instructions, sampling and tools</summary>
      <div class="body fields">
        <Field
          field={{ name: 'system', label: 'System prompt', kind: 'text' }}
          value={settings.system}
          onChange={set('system')}
        />
        <Field
          field={{ name: 'temperature', label: 'Temperature', kind: 'number' }}
          value={settings.temperature}
          onChange={set('temperature')}
        />
        <Field
          field={{ name: 'max', label: 'Most tokens of an answer', kind: 'number' }}
          value={settings.maxTokens}
          onChange={set('maxTokens')}
        />
        <Field
          field={{ name: 'tools', label: 'Tools', kind: 'json', hint: "A list in OpenAI's format." }}
          value={settings.tools}
          onChange={set('tools')}
        />
      </div>
    </details>
  )
}

function Prompt(props: {
  readonly value: string
  readonly onChange: (text: string) => void
  readonly image: string | undefined
  readonly onImage: (url: string | undefined) => void
}) {
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLTextAreaElement>): void => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    event.currentTarget.form?.requestSubmit()
  }
  const onFile = (event: TargetedEvent<HTMLInputElement>): void => {
    const file = event.currentTarget.files?.[0]
    if (!file) return props.onImage(undefined)
    const reader = new FileReader()
    reader.addEventListener('load', () => props.onImage(typeof reader.result === 'string' ? reader.result : undefined))
    reader.readAsDataURL(file)
  }
  return (
    <>
      <label class="field">
        <span>Message</span>
        <textarea
          required
          rows={3}
          placeholder="Enter sends, Shift+Enter starts a new line"
          value={props.value}
          onInput={(event) => props.onChange(event.currentTarget.value)}
          onKeyDown={onKeyDown}
        />
      </label>
      <label class="field">
        <span>Image (optional)</span>
        <input type="file" accept="image/*" onChange={onFile} key={props.image === undefined ? 'empty' : 'full'} />
      </label>
      {props.image !== undefined && <img class="attached" src={props.image} alt="What will be sent" />}
    </>
  )
}

function Code({ request }: { readonly request: ChatRequest }) {
  const [language, setLanguage] = useState<Language>('curl')
  return (
    <section class="card" aria-label="Code">
      <header>
        <h2>The same call in code</h2>
        <div class="segments" role="group" aria-label="Language">
          {languages.map((name) => (
            <button aria-pressed={name === language} onClick={() => setLanguage(name)} key={name}>
              {name}
            </button>
          ))}
        </div>
      </header>
      <div class="body">
        <Copyable text={toCode(language, request)} label={`The call in ${language}`} />
      </div>
    </section>
  )
}
