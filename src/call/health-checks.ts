import type { Deployment } from '../deployment.js'
import { toGatewayError } from '../errors.js'
import type { Timer } from '../ports.js'
import { beginLease } from '../router/attempt-lease.js'
import { reachableGroups } from '../router/fallbacks.js'
import { Member } from '../router/model-group.js'
import { CallTrail } from '../router/trail.js'
import { CallSignal, timeoutError } from '../upstream/call-signal.js'
import type { PlannedCall } from '../spend/index.js'
import { stringOf } from '../wire/json.js'
import type { Operations } from '../wire/operations.js'
import { type WholeAnswer, attemptWhole } from './attempt.js'
import type { CallParts } from './context.js'
import { noteAnswer } from './note-answer.js'
import { redactError } from './redact.js'

/** How deployments are asked whether they work. */
export interface HealthCheckOptions {
  /** Milliseconds between two rounds. */
  readonly intervalMs: number
  /** For each answer. @default 30,000 */
  readonly timeoutMs?: number | undefined
}

/** Background checks under way. */
export interface HealthChecks {
  stop(): void
}

/**
 * Asks every deployment in rounds whether it works: a good answer ends its cooldown, a failure counts like that of a
 * call. What the provider bills of it is in the ledger, at nobody's charge: its caller is `health-check`. Left alone are wildcards, those with `info.disable_background_health_check`, and those whose `info.mode` is none of
 * `chat`, `completion`, `responses` and `embedding`.
 */
export function startHealthChecks(options: HealthCheckOptions | undefined, parts: CallParts): HealthChecks | undefined {
  if (!options) return undefined
  let timer: Timer | undefined
  let stopped = false
  const round = async (): Promise<void> => {
    for (const deployment of parts.directory.groups.all) {
      if (stopped) return
      if (isChecked(deployment)) await checkDeployment(deployment, options.timeoutMs ?? 30_000, parts)
    }
  }
  const schedule = (): void => {
    if (stopped) return
    timer = parts.clock.setTimeout(() => void round().finally(schedule), options.intervalMs)
  }
  schedule()
  return {
    stop() {
      stopped = true
      timer?.cancel()
    },
  }
}

function isChecked({ modelName, model, info }: Deployment): boolean {
  if (modelName.includes('*') || model.includes('*')) return false
  return info['disable_background_health_check'] !== true && Object.hasOwn(checkIn, modeOf(info))
}

/** LiteLLM's `model_info.mode`. */
function modeOf(info: Deployment['info']): string {
  return stringOf(info['mode']) ?? 'chat'
}

/** Asks one deployment for as little as possible, and counts what comes of it. Does nothing where it was removed meanwhile. Never rejects. */
export async function checkDeployment(deployment: Deployment, timeoutMs: number, parts: CallParts): Promise<void> {
  const { clock, router } = parts
  const state = router.state.known(deployment.id)
  if (!state) return
  const member = new Member(deployment, state)
  const entry = new CallTrail().begin({
    target: deployment,
    modelName: deployment.modelName,
    reason: 'first',
    startedAt: clock.now(),
  })
  const lease = beginLease(member, entry, {
    state: router.state,
    clock,
    isReplaceable: () => isReplaceable(member, parts),
    totalMs: timeoutMs,
  })
  const check = checkIn[modeOf(deployment.info)]?.(deployment.modelName)
  if (!check) return
  const signal = new CallSignal(clock, timeoutMs, () => lease.failed(timeoutError('total', timeoutMs)))
  signal.attempt = entry
  parts.running.enter(signal)
  try {
    const { body } = await check.ask(deployment, signal, parts)
    noteAnswer(entry, body)
    lease.succeeded({})
    router.state.recovered(member)
  } catch (thrown) {
    const error = redactError(toGatewayError(thrown), deployment, signal.sent)
    lease.failed(error)
    const { kind, status, message } = error
    parts.logger.warn({ deployment: deployment.id, kind, status }, `A health check failed: ${message}`)
  } finally {
    parts.running.leave(signal)
    signal.dispose()
  }
  const call = {
    ...byPlatform,
    planned: check.planned,
    callId: parts.createId(),
    group: { name: deployment.modelName },
  }
  await parts.accounts.record(call, entry)
}

const byPlatform = {
  caller: { id: 'health-check', role: 'member', models: 'all', scopes: [] },
  readTags: () => [],
} as const

/** As for calls: where nothing could take over, resting would only replace one error by another. */
function isReplaceable({ deployment }: Member, { router }: CallParts): boolean {
  const group = router.find(deployment.modelName)
  if (!group) return false
  return group.members.length > 1 || reachableGroups(group, router.fallbacks, router.find).length > 1
}

/** What a deployment is asked, and how. */
interface Check {
  readonly planned: PlannedCall
  readonly ask: (
    deployment: Deployment,
    signal: CallSignal,
    parts: CallParts,
  ) => Promise<Pick<WholeAnswer<Asked>, 'body'>>
}

type Asked = 'chat' | 'completions' | 'embeddings' | 'moderations'

function checkBy<K extends Asked>(operation: K, request: Operations[K]['request']): Check {
  return {
    // The operation and its request belong together, which the compiler does not follow.
    planned: { operation, request } as PlannedCall,
    ask: (...asked) => attemptWhole(operation, request, ...asked),
  }
}

const most = { max_tokens: 16, drop_params: true }
const checkChat = (model: string): Check =>
  checkBy('chat', { model, messages: [{ role: 'user', content: 'ping' }], ...most })

/** How a model of each mode is asked. */
const checkIn: Readonly<Record<string, (model: string) => Check>> = {
  chat: checkChat,
  responses: checkChat,
  completion: (model) => checkBy('completions', { model, prompt: 'ping', ...most }),
  embedding: (model) => checkBy('embeddings', { model, input: 'ping' }),
  moderation: (model) => checkBy('moderations', { model, input: 'ping' }),
}
