export { type CallOptions, type Gateway, createGateway } from './gateway.js'
export {
  type CallerEndpointOptions,
  type FetchMediaOptions,
  type GatewayOptions,
  type ModelOptions,
  defaultTimeouts,
} from './options.js'
export {
  type ErrorBody,
  type FailureKind,
  type FailureRule,
  type GatewayErrorOptions,
  type UpstreamDetail,
  GatewayError,
  InvalidRequestError,
  UnsupportedParameterError,
  failureRules,
} from './errors.js'
export { Secret } from './secret.js'
export type {
  Headers,
  HttpBodyResponse,
  HttpRequest,
  HttpResponse,
  HttpStreamResponse,
  LeaveSignal,
} from './http/message.js'
export { errorAnswer } from './http/answer.js'
export type { Auth, Caller, CallerCredentials, Clock, CredentialsHook, Logger, Scope, Timer } from './ports.js'
export type { Deployment, ModelCapabilities, Timeouts } from './deployment.js'
export { defineProvider } from './providers/define-provider.js'
export type { Provider, ProviderStatus } from './providers/provider.js'
export type {
  Codec,
  Exchange,
  Failure,
  Protocol,
  StreamDecoder,
  StreamPart,
  StreamProgress,
} from './protocols/protocol.js'
export type { Quirks, ReasoningControl } from './protocols/openai/quirks.js'
export type { UpstreamEvent, UpstreamRequest } from './upstream/message.js'
export { fromLiteLLMConfig, modelsFromEnvironment, parseConfigText } from './config/index.js'
export { version } from './version.js'
export type { Operation, Operations, StreamOperation } from './wire/operations.js'
export * from './wire/chat.js'
export * from './wire/completions.js'
export * from './wire/embeddings.js'
export * from './wire/images.js'
export * from './wire/models.js'
export * from './wire/usage.js'
export type { Broadcast } from './ports/broadcast.js'
export type { CacheEntry, CacheStore } from './ports/cache-store.js'
export type { CooldownReport, DeploymentReport, RouterReport, RouterStore } from './ports/router-store.js'
export {
  type CounterLevel,
  type CounterStore,
  type Hold,
  type HoldKind,
  type Reservation,
  type ReserveOptions,
  type ReserveResult,
  type SeededCounter,
  type Shortage,
  settledMemoryMs,
} from './ports/counters.js'
