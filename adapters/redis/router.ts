import type { CooldownReport, DeploymentReport, RouterReport, RouterStore } from '../../src/index.js'
import type { Channels } from './channels.js'
import { type RedisLike, runScript } from './client.js'
import { exchangeScript } from './exchange-script.js'

/** Where the state of the router lies in Redis. */
export interface RedisRouterOptions {
  readonly prefix: string
  /** Where the host gave a connection that listens. */
  readonly channels: Channels | undefined
  /** After this many milliseconds whoever asked is taken to have left, so that what was told is told again. */
  readonly deadlineMs: number
}

/** One thing that a process told: what the script takes. */
interface Told {
  readonly name: string
  readonly value: string
  readonly lifetimeMs: number
  /** In milliseconds since the epoch, as near as the report says. */
  readonly toldAt: number
  /** Until when it is worth telling again, in milliseconds since the epoch. */
  readonly until: number
}

/** What one process of ours knows and told. */
interface ProcessState {
  /** Version of the shared state that it knows, in decimal digits. */
  version: string
  /** By name; what Redis has to be told again if it lost it. */
  readonly told: Map<string, Told>
  tellAgain: boolean
  /** Something in Redis cannot be read, and whoever asks was told. */
  knowsOfDamage: boolean
}

/** One value as it lies in Redis; the script relies on `inFlight` being first. */
type Value =
  | { readonly inFlight: number; readonly process: string; readonly deployment: Omit<DeploymentReport, 'inFlight'> }
  | { readonly process: string; readonly cooldown: CooldownReport }

// Counts are of one minute and readers compare it, so this only has to be longer.
const countsLifetimeMs = 120_000
// As long as somebody may still tell of the cooldown that a removal ended.
const removalLifetimeMs = 60_000
const nothingKnown = '0'

/**
 * Keeps what all processes know about deployments in Redis, one script per exchange. What a process has in flight stops
 * counting once it has not exchanged for 3 s, so a process exchanges at least once a second, also when it has nothing to tell.
 * Of values that cannot be read the first exchange rejects that meets any; thereafter they are left out.
 */
export function redisRouterStore(client: RedisLike, options: RedisRouterOptions): RouterStore {
  const { prefix, channels, deadlineMs } = options
  const keys = ['version', 'values', 'news', 'ends'].map((name) => `{${prefix}:router}:${name}`)
  const channel = `${prefix}:router`
  const states = new Map<string, ProcessState>()

  const stateOf = (process: string): ProcessState => {
    const state = states.get(process) ?? {
      version: nothingKnown,
      told: new Map(),
      tellAgain: false,
      knowsOfDamage: false,
    }
    states.set(process, state)
    return state
  }
  const watch = ({ listen }: Channels, onNews: () => void): (() => void) =>
    listen(channel, (teller) => {
      if (![...states.keys()].some((process) => JSON.stringify(process) === teller)) onNews()
    })
  return {
    async exchange(process, report) {
      const state = stateOf(process)
      const news = report ? toTold(report) : []
      for (const told of news) state.told.set(told.name, told)
      const telling = state.tellAgain ? [...state.told.values()] : news
      // Unless an answer says otherwise: what was sent may have been lost.
      state.tellAgain = true
      const start = performance.now()
      const args = telling.flatMap(({ name, value, lifetimeMs }) => [name, value, lifetimeMs])
      const reply = await runScript(client, exchangeScript, keys, [
        JSON.stringify(process),
        state.version,
        channel,
        ...args,
      ])
      const { isUnknown, version, values, damaged } = readReply(reply)
      if (damaged > 0 && !state.knowsOfDamage) {
        // The version stays, so that the next exchange brings the rest of it.
        state.knowsOfDamage = true
        throw new TypeError(`${damaged} values below ${prefix}:router cannot be read, and are left out.`)
      }
      const isFirst = state.version === nothingKnown
      state.tellAgain = isUnknown && !isFirst
      // An answer after the deadline reaches nobody: the next one has to bring the same again.
      if (performance.now() - start < 0.8 * deadlineMs) state.version = version
      forgetOld(state.told, news)
      return toReports(values.filter((value) => value.process !== process && !(isFirst && isRemoval(value))))
    },
    ...(channels && { watch: (onNews) => watch(channels, onNews) }),
  }
}

function toTold({ process, deployments, cooldowns }: RouterReport): Told[] {
  return [
    ...deployments.map(({ inFlight, ...deployment }): Told => {
      const name = `d${JSON.stringify(process)}${deployment.id}`
      const toldAt = deployment.minute * 60_000
      const until = inFlight > 0 ? Infinity : toldAt + countsLifetimeMs
      return { name, value: toText({ inFlight, process, deployment }), lifetimeMs: countsLifetimeMs, toldAt, until }
    }),
    ...cooldowns.map((cooldown): Told => {
      const { id, at, until } = cooldown
      const lifetimeMs = until > at ? Math.ceil(until - at) : removalLifetimeMs
      const value = toText({ process, cooldown })
      return { name: `c${id}`, value, lifetimeMs, toldAt: at, until: at + lifetimeMs }
    }),
  ]
}

function toText(value: Value): string {
  return JSON.stringify(value)
}

function isRemoval(value: Value): boolean {
  return 'cooldown' in value && value.cooldown.until === 0
}

/** Lets go of what ended before the newest thing told. */
function forgetOld(told: Map<string, Told>, news: readonly Told[]): void {
  if (news.length === 0) return
  const now = Math.max(...news.map(({ toldAt }) => toldAt))
  for (const { name, until } of told.values()) if (until < now) told.delete(name)
}

function toReports(values: readonly Value[]): RouterReport[] {
  const byProcess = new Map<string, { deployments: DeploymentReport[]; cooldowns: CooldownReport[] }>()
  for (const value of values) {
    const report = byProcess.get(value.process) ?? { deployments: [], cooldowns: [] }
    byProcess.set(value.process, report)
    if ('cooldown' in value) report.cooldowns.push(value.cooldown)
    else report.deployments.push({ ...value.deployment, inFlight: value.inFlight })
  }
  return [...byProcess].map(([process, report]) => ({ process, ...report }))
}

/** @throws TypeError for what the script never gives */
function readReply(reply: unknown): { isUnknown: boolean; version: string; values: Value[]; damaged: number } {
  if (!Array.isArray(reply)) throw new TypeError('Redis answered the router with something that is no list.')
  const [unknown, version, ...texts]: unknown[] = reply
  const values = texts.flatMap((text) => readValue(text) ?? [])
  return { isUnknown: unknown === 1, version: String(version), values, damaged: texts.length - values.length }
}

/** Undefined for what is no value of ours. */
function readValue(text: unknown): Value | undefined {
  try {
    const value: unknown = JSON.parse(String(text))
    return isValue(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isValue(value: unknown): value is Value {
  if (!hasFields(value, { process: 'string' })) return false
  if ('cooldown' in value) return hasFields(value.cooldown, cooldownFields)
  return hasFields(value, { inFlight: 'number' }) && 'deployment' in value && hasFields(value.deployment, countFields)
}

const cooldownFields = { id: 'string', at: 'number', until: 'number', kind: 'string', status: 'number' }
const countFields = { id: 'string', minute: 'number', requests: 'number', tokens: 'number' }

function hasFields(value: unknown, fields: Readonly<Record<string, string>>): value is object {
  if (typeof value !== 'object' || value === null) return false
  return Object.entries(fields).every(([name, type]) => typeof Reflect.get(value, name) === type)
}
