import type { Deployment } from '../../deployment.js'
import { PostedBody, type UpstreamRequest } from '../../upstream/message.js'
import type { Operation } from '../../wire/operations.js'
import { writeJson } from '../../wire/write-json.js'
import { checkRefused, type Body, type Draft, knownParameters, type ParameterRules } from './parameters.js'
import type { Quirks } from './quirks.js'

const paths: Readonly<Record<Operation, string>> = {
  chat: '/chat/completions',
  completions: '/completions',
  embeddings: '/embeddings',
  images: '/images/generations',
  moderations: '/moderations',
}

const jsonHeaders = { 'content-type': 'application/json', accept: 'application/json' }
const streamHeaders = { 'content-type': 'application/json', accept: 'text/event-stream' }

/** The model's name as the provider spells it. */
export function upstreamModel(deployment: Deployment, quirks: Quirks): string {
  return quirks.modelName?.(deployment.model) ?? deployment.model
}

/** The parameter rules of one operation, made once per protocol. `controlled` are handled elsewhere and never refused. */
export function toParameterRules(
  operation: Operation,
  quirks: Pick<Quirks, 'unsupported' | 'supported' | 'rename'>,
  controlled: readonly string[] = [],
): ParameterRules {
  const known: ReadonlySet<string> = knownParameters[operation]
  const refused = (quirks.unsupported ?? []).filter((name) => !controlled.includes(name))
  // A parameter with another name at the provider is one that it takes.
  const supported = quirks.supported && [...quirks.supported, ...Object.keys(quirks.rename ?? {}), ...controlled]
  return { known, unsupported: new Set(refused), supported: supported && new Set(supported) }
}

/** Asks for the stream, and always for its usage: a stream is billed whether or not the client wants to see the tokens. */
export function applyStream(body: Body, isStream: boolean, quirks: Quirks): void {
  const options = body['stream_options']
  delete body['stream_options']
  delete body['stream']
  if (!isStream) return
  body['stream'] = true
  if (quirks.streamOptions === false) return
  body['stream_options'] = { ...(typeof options === 'object' && options), include_usage: true }
}

/** The finished request. @throws UnsupportedParameterError naming everything that was refused */
export function toUpstreamRequest(
  operation: Operation,
  draft: Draft,
  deployment: Deployment,
  quirks: Quirks,
): UpstreamRequest {
  checkRefused(draft, deployment)
  const body = quirks.adjust?.(draft.body, operation) ?? draft.body
  const headers = body['stream'] === true ? streamHeaders : jsonHeaders
  return new PostedBody(quirks.paths?.[operation] ?? paths[operation], headers, writeJson(body), draft.dropped)
}
