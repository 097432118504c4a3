import type { IntervalHistogram } from 'node:perf_hooks'
import type { CallParts } from '../call/context.js'
import type { Route } from '../http/route.js'
import { chatCompletions } from './chat-completions.js'
import { completions } from './completions.js'
import { debugMemory } from './debug-memory.js'
import { modelApiNotes } from './document-notes.js'
import { embeddings } from './embeddings.js'
import { health } from './health.js'
import { healthDeployments } from './health-deployments.js'
import { imagesGenerations } from './images-generations.js'
import { models } from './models.js'
import { moderations } from './moderations.js'
import { openapi } from './openapi.js'

/** Which paths there are besides the usual ones. */
export interface EndpointOptions {
  /** How busy the event loop is; undefined leaves out what tells of this process. */
  readonly delays: IntervalHistogram | undefined
}

/**
 * THE TABLE: every path that exists. What is not here cannot be called.
 *
 * A new route says in its file what `GET /openapi.json` tells of it: `summary`, `response` (the zod shape of its answer,
 * with every field that it has), `examples` (a request that works, with its `body`, `query` or `params`) and, beside
 * those that follow from its body and access, `errors`. `test/endpoints/contract.test.ts` sends every example to a running
 * gateway and fails for a route without one. Records that an example needs are made by the examples that
 * `test/endpoints/story.ts` lists. Fields have their descriptions and values in the glossary: `document-notes.ts` here,
 * `management/glossary.ts` for the management API.
 */
export function endpoints(parts: CallParts, { delays }: EndpointOptions): readonly Route[] {
  const routes: readonly Route[] = [
    chatCompletions(parts),
    completions(parts),
    embeddings(parts),
    imagesGenerations(parts),
    moderations(parts),
    ...models(parts),
    ...health(parts),
    healthDeployments(parts),
    ...(delays ? debugMemory(parts, delays) : []),
    openapi(() => routes, modelApiNotes),
  ]
  return routes
}
