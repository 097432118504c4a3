import type { IntervalHistogram } from 'node:perf_hooks'
import type { CallParts } from '../call/context.js'
import type { Route } from '../http/route.js'
import { chatCompletions } from './chat-completions.js'
import { completions } from './completions.js'
import { debugMemory } from './debug-memory.js'
import { embeddings } from './embeddings.js'
import { health } from './health.js'
import { healthDeployments } from './health-deployments.js'
import { imagesGenerations } from './images-generations.js'
import { models } from './models.js'
import { openapi } from './openapi.js'

/** Which paths there are besides the usual ones. */
export interface EndpointOptions {
  /** How busy the event loop is; undefined leaves out what tells of this process. */
  readonly delays: IntervalHistogram | undefined
}

/** THE TABLE: every path that exists. What is not here cannot be called. */
export function endpoints(parts: CallParts, { delays }: EndpointOptions): readonly Route[] {
  const routes: readonly Route[] = [
    chatCompletions(parts),
    completions(parts),
    embeddings(parts),
    imagesGenerations(parts),
    ...models(parts),
    ...health(parts),
    healthDeployments(parts),
    ...(delays ? debugMemory(parts, delays) : []),
    openapi(() => routes),
  ]
  return routes
}
