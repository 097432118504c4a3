export { type CallOptions, type Gateway, type Mountable, createGateway } from './gateway.js'
export type { Deployments } from './gateway/deployments.js'
export type { Repriced, RepriceRange, Spend } from './gateway/create-spend.js'
export type { HealthCheckOptions } from './call/health-checks.js'
export type { HedgingOptions, MidStreamPolicy, RoutingOptions } from './router/options.js'
export type { RouterEvent } from './router/router-state.js'
export type { GatewayEvent } from './events.js'
export type { SharedLimits, SpendOptions } from './spend/options.js'
export type { PriceOptions, PriceTable } from './catalog/prices/index.js'
export { filePrompts, langfusePrompts, textPrompts } from './prompts/index.js'
export type { OutboundHttp, OutboundRequest, OutboundResponse } from './ports/outbound-http.js'
export type { LangfusePrompts, Prompt, PromptReference, PromptStore } from './prompts/index.js'
export type { CallLogOptions, CallbackOptions } from './callbacks/index.js'
export type { CustomInput, CustomVerdict, GuardrailOptions } from './guardrails/index.js'
export type { GuardrailVerdict, Hook, HookCall, Hooks } from './ports/hooks.js'
export type { AttemptRecord, Callback, CallOutcome, CallRecord, UnknownCallersEvent } from './ports/callback.js'
export type { CacheOptions } from './cache/options.js'
export type { IdempotencyOptions } from './cache/idempotency.js'
export type { Candidate } from './router/model-group.js'
export type { CooldownCause, DeploymentStats } from './router/deployment-state.js'
export type { Strategy, StrategyView } from './router/strategies/strategy.js'
export {
  type CallerEndpointOptions,
  type FetchMediaOptions,
  type GatewayOptions,
  type ModelOptions,
  type StoreOptions,
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
export type { EncryptionKey } from './stores/sealed-text.js'
export type {
  Headers,
  HttpBodyResponse,
  HttpRequest,
  HttpResponse,
  HttpStreamResponse,
  LeaveSignal,
} from './http/message.js'
export { errorAnswer, jsonAnswer } from './http/answer.js'
export { answerAsset, redirectAnswer } from './ui/assets.js'
export { mergeDocuments } from './http/openapi/document.js'
export type { Auth, Budget, Caller, CallerCredentials, Clock, CredentialsHook, Logger, Scope, Timer } from './ports.js'
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
export {
  type ConfigResult,
  type DatabaseSettings,
  type LiteLLMAuthHook,
  type RedisSettings,
  fromLiteLLMAuth,
  fromLiteLLMConfig,
  modelsFromEnvironment,
  parseConfigText,
} from './config/index.js'
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
export type {
  ChargedScope,
  EventClaim,
  LedgerEntry,
  RepricedEntry,
  LedgerPage,
  LedgerQuery,
  LedgerStore,
  ScopeKind,
  ScopeRef,
  SpendGroup,
  SpendQuery,
  SpendRow,
  SumsPruning,
  UsageEvent,
} from './ports/ledger.js'
export type { CallPage, CallQuery, CallStore, CallSummary } from './ports/calls.js'
export type {
  NewRecord,
  RecordIndex,
  RecordKind,
  RecordPage,
  RecordQuery,
  RecordStore,
  StoredRecord,
  WriteResult,
} from './ports/records.js'
export { chargedTo, isModelMatch } from './ports/ledger.js'
// What every store of ledger rows, calls and records has to work out, whatever it writes to.
export { type CallMark, marksOf, marksWanted } from './stores/call-marks.js'
export { type Cursor, fromCursor, pageSize, toCursor } from './stores/cursor.js'
export {
  type CallerRollUp,
  type Change,
  type DayRollUp,
  type HourRollUp,
  type ModelHourRollUp,
  type ReportPlan,
  type RollUps,
  type Sums,
  type WindowParts,
  compareGroups,
  correctionOf,
  hourMs,
  hourOf,
  modelsOf,
  planReport,
  priceChange,
  rollUp,
  sumsOf,
  toDay,
  windowParts,
  withPrice,
} from './stores/roll-ups.js'
export { type Cut, monthOf, sumsCuts, weekMs, weekOf } from './stores/sums-cut.js'
export { fromLine, toLine } from './spend/ledger-lines.js'
export { isObject, parseJson } from './wire/json.js'
