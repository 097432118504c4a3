import type { Served } from '../call/attempt.js'
import type { Headers } from '../http/message.js'

/** Headers that tell how an answer came to be: `x-sluice-dropped-params` lists what the provider could not honour. */
export function servedHeaders({ droppedParams }: Served): Headers {
  return droppedParams.length === 0 ? {} : { 'x-sluice-dropped-params': droppedParams.join(',') }
}
