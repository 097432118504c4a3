import type { Deployment } from '../deployment.js'
import { InvalidRequestError } from '../errors.js'
import { completionsOverChat } from '../protocols/completions-bridge.js'
import { inBatches } from '../protocols/embedding-batches.js'
import { underCapabilities } from '../protocols/own-capabilities.js'
import type { Codec } from '../protocols/protocol.js'
import type { Provider } from '../providers/provider.js'
import type { Operation } from '../wire/operations.js'

/**
 * The codec for an operation at a provider; text completion goes over chat where the provider has only that, and more
 * inputs to embed than one call takes go in several.
 * @throws InvalidRequestError where the provider does not offer the operation
 */
export function codecOf<K extends Operation>(provider: Provider, operation: K, deployment: Deployment): Codec<K> {
  const codec = findCodec(provider, operation, deployment)
  if (codec) return codec
  throw new InvalidRequestError(
    `The model ${deployment.modelName} (${provider.displayName}) does not offer ${operation}.`,
    'model',
  )
}

/** The same; undefined where the provider does not offer the operation. */
export function findCodec<K extends Operation>(
  provider: Provider,
  operation: K,
  deployment: Deployment,
): Codec<K> | undefined {
  const { codecs } = provider.protocol
  if (operation === 'embeddings' && codecs.embeddings && provider.capabilities.embeddings) {
    return inBatches(codecs.embeddings) as Codec<K>
  }
  const chat = codecs.chat && provider.capabilities.chat ? underCapabilities(codecs.chat, deployment) : undefined
  if (operation === 'chat') return chat as Codec<K> | undefined
  const codec: Codec<K> | undefined = codecs[operation]
  if (codec && provider.capabilities[operation]) return codec
  return operation === 'completions' && chat ? (completionsOverChat(chat) as Codec<K>) : undefined
}
