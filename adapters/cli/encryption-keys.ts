import { scryptSync } from 'node:crypto'
import type { GatewayOptions } from '../../src/index.js'
import type { Environment } from './setup.js'

type EncryptionKeys = NonNullable<GatewayOptions['encryptionKeys']>

/**
 * What credentials of models that are added at run time are encrypted with: `LITELLM_SALT_KEY`, else the master key of
 * the file, as in LiteLLM. With both, what was encrypted before the variable was set can be read on. Undefined where
 * there is neither: a key that is made for one run would make them unreadable in the next.
 */
export function toEncryptionKeys(env: Environment, masterKey: string | undefined): EncryptionKeys | undefined {
  const keys = Object.entries({ salt: env['LITELLM_SALT_KEY'], master: masterKey }).flatMap(([id, text]) =>
    text ? [{ id, key: stretch(text) }] : [],
  )
  return keys.length > 0 ? keys : undefined
}

/** 32 bytes of a text of any length, slow to guess. */
function stretch(text: string): string {
  return scryptSync(text, 'sluice encryption key', 32).toString('base64')
}
