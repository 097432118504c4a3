import type { CommonSinkOptions, SinkType } from '../sink.js'
import { type AthinaOptions, athina } from './athina.js'
import { type DynamoDbOptions, dynamodb } from './dynamodb.js'
import { type HeliconeOptions, helicone } from './helicone.js'
import { type HostCallbackOptions, type LoggerOptions, callback, logger } from './host.js'
import { type LangfuseOptions, langfuse } from './langfuse.js'
import { type LunaryOptions, lunary } from './lunary.js'
import { type OpenTelemetryOptions, opentelemetry } from './opentelemetry.js'
import { type MlflowOptions, type OtlpOptions, type TraceloopOptions, mlflow, otlp, traceloop } from './otlp.js'
import { type PrometheusOptions, prometheus } from './prometheus.js'
import { type PromptLayerOptions, promptlayer } from './promptlayer.js'
import { type S3Options, s3 } from './s3.js'
import { type SlackOptions, slack } from './slack.js'
import { type WebhookOptions, webhook } from './webhook.js'

/** The settings of every type of sink. */
interface SinkSettings {
  readonly athina: AthinaOptions
  readonly callback: HostCallbackOptions
  readonly dynamodb: DynamoDbOptions
  readonly helicone: HeliconeOptions
  readonly langfuse: LangfuseOptions
  readonly logger: LoggerOptions
  readonly lunary: LunaryOptions
  readonly mlflow: MlflowOptions
  readonly opentelemetry: OpenTelemetryOptions
  readonly otlp: OtlpOptions
  readonly prometheus: PrometheusOptions
  readonly promptlayer: PromptLayerOptions
  readonly s3: S3Options
  readonly slack: SlackOptions
  readonly traceloop: TraceloopOptions
  readonly webhook: WebhookOptions
}

/** One place that records go to: `type`, what all sinks have, and the type's own settings. */
export type SinkOptions = {
  [Type in keyof SinkSettings]: { readonly type: Type } & CommonSinkOptions & SinkSettings[Type]
}[keyof SinkSettings]

/** Every type of sink: a new one is a file and a line here and above. */
export const sinkTypes: Readonly<Record<keyof SinkSettings, SinkType>> = {
  athina,
  callback,
  dynamodb,
  helicone,
  langfuse,
  logger,
  lunary,
  mlflow,
  opentelemetry,
  otlp,
  prometheus,
  promptlayer,
  s3,
  slack,
  traceloop,
  webhook,
}
