import type { AnswerOrigin } from '../cache/entry.js'
import type { IdempotentCall, Origin } from '../cache/idempotent-call.js'
import { modelKey } from '../catalog/model-name.js'
import type { ChatChunk } from '../wire/chat.js'
import type { Operations, StreamOperation } from '../wire/operations.js'
import type { RepeatableCall } from './earlier-answers.js'
import type { PartBatches } from './read-parts.js'
import { markDelta } from './reasoning-origin.js'
import { TappedStream } from './tap-stream.js'

/** A key that is to stand for a stream from the cache too. */
export interface ReplayKeeper {
  readonly repeat: IdempotentCall
  readonly origin: Origin
}

/** A kept stream on its way to the client; the call ends with it. */
export function replayTap<K extends StreamOperation>(
  kept: PartBatches<Operations[K]['chunk']>,
  { operation, request, call }: RepeatableCall<K>,
  { model }: Pick<AnswerOrigin, 'model'>,
  keeper?: ReplayKeeper,
): TappedStream<Operations[K]['chunk']> {
  const wantsUsage = request.stream_options?.include_usage === true
  const origin = modelKey(model)
  return new TappedStream(kept, {
    see: (batch) => keeper?.repeat.collect(batch),
    resume: () => Promise.resolve(undefined),
    accept(chunk) {
      if (operation === 'chat') for (const { delta } of (chunk as ChatChunk).choices) markDelta(delta, origin)
      return wantsUsage || chunk.choices.length > 0
    },
    ended() {
      keeper?.repeat.complete(keeper.origin)
      call.end()
    },
    left: () => call.end(),
    failed(thrown) {
      call.end()
      return thrown
    },
  })
}
