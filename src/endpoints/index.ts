import type { CallParts } from '../call/context.js'
import type { Route } from '../http/route.js'
import { chatCompletions } from './chat-completions.js'
import { completions } from './completions.js'
import { embeddings } from './embeddings.js'
import { health } from './health.js'
import { imagesGenerations } from './images-generations.js'
import { models } from './models.js'
import { openapi } from './openapi.js'

/** THE TABLE: every path that exists. What is not here cannot be called. */
export function endpoints(parts: CallParts): readonly Route[] {
  const routes: readonly Route[] = [
    chatCompletions(parts),
    completions(parts),
    embeddings(parts),
    imagesGenerations(parts),
    ...models(parts),
    ...health(parts),
    openapi(() => routes),
  ]
  return routes
}
