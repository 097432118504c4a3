import type { Json } from '../api.js'
import { isJson } from '../api.js'
import { count, dollars, duration, plainText } from '../kit/format.js'
import { Notice } from '../kit/parts.js'
import type { ChatProgress, ChatRequest } from './stream-chat.js'

/** One conversation of the playground. */
export interface LaneState {
  readonly state: 'idle' | 'running' | 'done' | 'failed'
  readonly turns: readonly Json[]
  readonly request?: ChatRequest
  readonly progress?: ChatProgress
  readonly deployment?: string
  readonly firstMs?: number
  readonly tookMs?: number
  readonly cost?: number | undefined
  readonly problem?: string
}

/** A lane before its first message. */
export const idle: LaneState = { state: 'idle', turns: [] }

/** What was said with one model, and what the last answer took. */
export function Lane(props: {
  readonly lane: LaneState
  readonly models: readonly string[]
  readonly model: string
  readonly label: string
  readonly onModel: (model: string) => void
}) {
  const { lane, label } = props
  return (
    <section class="card" aria-label={label}>
      <header>
        <label class="field inline">
          <span>{label}</span>
          <input
            value={props.model}
            list="playground-models"
            onInput={(event) => props.onModel(event.currentTarget.value)}
          />
        </label>
        <datalist id="playground-models">
          {props.models.map((id) => (
            <option value={id} key={id} />
          ))}
        </datalist>
      </header>
      <div class="turns" aria-live="polite" aria-busy={lane.state === 'running'}>
        {lane.turns.length === 0 && <p class="muted">Nothing said yet.</p>}
        {lane.turns.map((turn, at) => (
          <Turn turn={turn} key={at} />
        ))}
        {lane.state !== 'done' && lane.progress && <Answer progress={lane.progress} />}
        {lane.state === 'running' && !lane.progress && <p class="muted">Waiting for the first token …</p>}
        {lane.problem !== undefined && <Notice tone="bad">{lane.problem}</Notice>}
      </div>
      {lane.state === 'done' && <Figures lane={lane} />}
    </section>
  )
}

function Turn({ turn }: { readonly turn: Json }) {
  const { role, content } = turn
  const parts = Array.isArray(content) ? content.filter(isJson) : []
  return (
    <div class={`turn ${role === 'user' ? 'user' : ''}`}>
      <b>{role === 'user' ? 'You' : 'Model'}</b>
      {typeof content === 'string' ? content : parts.map((part) => plainText(part['text'])).join('')}
      {parts.some((part) => part['type'] === 'image_url') && <em> (with an image)</em>}
    </div>
  )
}

function Answer({ progress: { text, reasoning, toolCalls } }: { readonly progress: ChatProgress }) {
  return (
    <div class="turn">
      <b>Model</b>
      {reasoning && <p class="muted">{reasoning}</p>}
      {text}
      {toolCalls.map((call, at) => (
        <pre key={at}>
          {call.name}({call.arguments})
        </pre>
      ))}
    </div>
  )
}

function Figures({ lane }: { readonly lane: LaneState }) {
  const { usage, finish } = lane.progress ?? {}
  const figures: readonly (readonly [string, string])[] = [
    ['First token', duration(lane.firstMs)],
    ['Total', duration(lane.tookMs)],
    ['Tokens in', count(Number(usage?.['prompt_tokens'] ?? 0))],
    ['Tokens out', count(Number(usage?.['completion_tokens'] ?? 0))],
    ['Cost', lane.cost === undefined ? 'not known' : dollars(lane.cost)],
    ['Finish', finish ?? '–'],
    ['Deployment', lane.deployment ?? '–'],
  ]
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
