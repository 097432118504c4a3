export { type CallLogOptions, CallLogOptionsSchema, callLogSink } from './call-log.js'
export {
  type AttemptFacts,
  type CallFacts,
  keepsBodies,
  prepareRecord,
  toAttemptRecord,
  toFailure,
  toTraceParent,
} from './call-record.js'
export { copyBody } from './copy-body.js'
export { type CallbackParts, type Callbacks, createCallbacks } from './create-callbacks.js'
export { type SendToSink, type SinkAnswer, type SinkRequest, createSendToSink } from './http.js'
export { type CallbackOptions, CallbackOptionsSchema, type QueueOptions } from './options.js'
export { type CallEnding, outcomeOf } from './outcome.js'
export type { SinkStats } from './sink.js'
export type { SinkOptions } from './sinks/index.js'
