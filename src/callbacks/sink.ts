import type { z } from 'zod'
import type { Clock, Logger } from '../ports.js'
import type { AttemptCall, AttemptRecord, CallRecord, CallbackEvent } from '../ports/callback.js'
import type { SendToSink } from './http.js'

/** What became of a batch that was taken. */
export interface Delivery<Item> {
  /** To be sent again later. */
  readonly again?: readonly Item[]
  /** How many were refused for good. */
  readonly refused?: number
}

/** A place that records go to. Nothing of it runs on the path of a call; the queue in front of it has all the patience. */
export interface Sink<Item> {
  readonly name: string
  /** Most items of one delivery. */
  readonly batchSize: number
  /** Most bytes of one delivery, roughly; one item may have more. @default 1 MB */
  readonly batchBytes?: number
  /** Deliveries under way at once. */
  readonly parallel: number
  /** How long an item may wait for others, in milliseconds. @default the queue's */
  readonly delayMs?: number
  /** What is to be delivered for a record; undefined for nothing. */
  take(record: CallRecord): Item | undefined
  /** What is to be delivered for an attempt that has ended. @default nothing */
  takeAttempt?(attempt: AttemptRecord, call: AttemptCall): Item | undefined
  /** What is to be delivered for an event. @default nothing */
  takeEvent?(event: CallbackEvent): Item | undefined
  /** Delivers a batch. @throws DeliveryError where the whole batch failed; anything else counts as one worth retrying */
  deliver(items: readonly Item[], deadlineMs: number): Promise<Delivery<Item>>
  /** Items that no record brings, such as a daily report. @returns what ends it */
  start?(add: (item: Item) => void): () => void
}

/** What sinks are built with. */
export interface SinkParts {
  readonly send: SendToSink
  readonly clock: Clock
  readonly logger: Logger
  /** Numbers of every sink's queue; read when metrics are collected. */
  readonly stats: () => Readonly<Record<string, SinkStats>>
}

/** Numbers of one sink, since the start. */
export interface SinkStats {
  /** Waiting or under way. */
  readonly queued: number
  readonly delivered: number
  /** Never sent: no room was left, or the gateway closed. */
  readonly dropped: number
  /** Given up: refused by the sink, or after the last try. */
  readonly failed: number
}

/** Settings that every sink has. */
export interface CommonSinkOptions {
  /** In logs and metrics; must differ where two sinks are of one type. @default the type */
  readonly name?: string | undefined
  /** Which calls are told. @default 'all' */
  readonly on?: 'all' | 'success' | 'failure' | undefined
  /** False keeps request and response bodies from this sink. @default true, where bodies are switched on at all */
  readonly bodies?: boolean | undefined
}

/** Opens a sink's queue; hides what its items are. */
export type OpenQueue = <Item>(sink: Sink<Item>) => void

/** One type of sink: its settings, and how it is built from them. */
export interface SinkType {
  readonly schema: z.ZodType
  /** @throws ZodError for settings that do not fit `schema` */
  open(settings: unknown, parts: SinkParts, openQueue: OpenQueue): void
}

/** Declares a type of sink. */
export function defineSink<Settings, Item>(
  schema: z.ZodType<Settings>,
  create: (settings: Settings, parts: SinkParts) => Sink<Item>,
): SinkType {
  return { schema, open: (settings, parts, openQueue) => openQueue(create(schema.parse(settings), parts)) }
}

/** Declares a type of sink that sends records whole. */
export function defineRecordSink<Settings>(
  schema: z.ZodType<Settings>,
  create: (settings: Settings, parts: SinkParts) => Omit<Sink<CallRecord>, 'take'>,
): SinkType {
  return defineSink<Settings, CallRecord>(schema, (settings, parts) => ({
    take: (record) => record,
    ...create(settings, parts),
  }))
}
