import type { Quirks } from '../../protocols/openai/quirks.js'

/**
 * Quirks with others laid over them: lists of unsupported parameters add up, tables and switches merge by name, both
 * adjustments run in order, and everything else is replaced.
 */
export function mergeQuirks(base: Quirks, over: Quirks): Quirks {
  const unsupported = concat(base.unsupported, over.unsupported)
  const embeddingsUnsupported = concat(base.embeddings?.unsupported, over.embeddings?.unsupported)
  const imagesUnsupported = concat(base.images?.unsupported, over.images?.unsupported)
  return {
    ...base,
    ...over,
    ...(base.paths && { paths: { ...base.paths, ...over.paths } }),
    ...(base.rename && { rename: { ...base.rename, ...over.rename } }),
    ...(base.clamp && { clamp: { ...base.clamp, ...over.clamp } }),
    ...(base.messages && { messages: { ...base.messages, ...over.messages } }),
    ...(base.tools && { tools: { ...base.tools, ...over.tools } }),
    ...(base.extraBody && { extraBody: { ...base.extraBody, ...over.extraBody } }),
    ...(unsupported && { unsupported }),
    ...((base.embeddings ?? over.embeddings) && {
      embeddings: {
        ...base.embeddings,
        ...over.embeddings,
        ...(embeddingsUnsupported && { unsupported: embeddingsUnsupported }),
      },
    }),
    ...((base.images ?? over.images) && {
      images: { ...base.images, ...over.images, ...(imagesUnsupported && { unsupported: imagesUnsupported }) },
    }),
    ...adjustBoth(base.adjust, over.adjust),
  }
}

function concat(first: readonly string[] | undefined, second: readonly string[] | undefined) {
  return first && second ? [...first, ...second] : (first ?? second)
}

function adjustBoth(first: Quirks['adjust'], second: Quirks['adjust']): Pick<Quirks, 'adjust'> {
  if (!first || !second) return {}
  return { adjust: (body, operation) => second(first(body, operation), operation) }
}
