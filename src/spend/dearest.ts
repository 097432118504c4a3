import type { TokensByKind } from '../catalog/token-estimate.js'
import type { RateCard } from './rate-card.js'
import type { InputBucket, OutputBucket } from './usage-buckets.js'

/** The bucket in which tokens of a kind cost most. */
export interface DearestInput {
  readonly kind: keyof TokensByKind
  readonly bucket: InputBucket
}

/** Where tokens cost most under one set of rates. */
export interface Dearest {
  /** The dearest kind first. */
  readonly input: readonly DearestInput[]
  /** The same for a prompt that is written to a cache for an hour. */
  readonly inputForAnHour: readonly DearestInput[]
  readonly silentOutput: OutputBucket
  /** Of a model that may speak. */
  readonly soundOutput: OutputBucket
}

const cached: readonly InputBucket[] = ['inputUncached', 'cacheRead', 'cacheWrite5m', 'toolPrompt']

/** The buckets that tokens of each kind may be counted in. */
const inputChoices: Readonly<Record<keyof TokensByKind, readonly InputBucket[]>> = {
  text: cached,
  image: [...cached, 'imageInput', 'cacheReadImage'],
  audio: [...cached, 'audioInput', 'cacheReadAudio'],
  file: [...cached, 'imageInput', 'videoInput', 'audioInput', 'cacheReadImage', 'cacheReadAudio'],
}
const kinds = ['text', 'image', 'audio', 'file'] as const
const silentOutputs: readonly OutputBucket[] = ['outputText', 'reasoning', 'imageOutput']
const soundOutputs: readonly OutputBucket[] = [...silentOutputs, 'audioOutput']

// Every estimate asks, and a card's rates never change.
const known = new WeakMap<RateCard, Dearest>()

/** Finds where tokens cost most; worked out once for a card. */
export function dearestOf(card: RateCard): Dearest {
  const before = known.get(card)
  if (before) return before
  const found: Dearest = {
    input: dearestInput(card, []),
    inputForAnHour: dearestInput(card, ['cacheWrite1h']),
    silentOutput: dearest(silentOutputs, card),
    soundOutput: dearest(soundOutputs, card),
  }
  known.set(card, found)
  return found
}

function dearestInput(card: RateCard, further: readonly InputBucket[]): readonly DearestInput[] {
  return kinds
    .map((kind) => ({ kind, bucket: dearest([...inputChoices[kind], ...further], card) }))
    .toSorted((a, b) => Number(card.tokenRate(b.bucket) - card.tokenRate(a.bucket)))
}

/** The first of the dearest buckets. */
function dearest<B extends InputBucket | OutputBucket>(choices: readonly B[], card: RateCard): B {
  return choices.reduce((most, next) => (card.tokenRate(next) > card.tokenRate(most) ? next : most))
}
