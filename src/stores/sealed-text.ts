import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { z } from 'zod'
import { Secret } from '../secret.js'

/** A key that credentials in the host's database are encrypted with. */
export interface EncryptionKey {
  /** Stands before every text, so that it can be opened after a rotation: letters, digits, `-` and `_`. */
  readonly id: string
  /** 32 random bytes in base64, base64url or hexadecimal digits: `openssl rand -base64 32`. */
  readonly key: string | Secret
}

/** Shape of a list of encryption keys. */
export const EncryptionKeysSchema = z
  .array(
    z.strictObject({
      id: z.string().regex(/^[\w-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, - and _' }),
      key: z.union([z.string(), z.instanceof(Secret)]).refine((key) => toBytes(key) !== undefined, {
        error: 'must be 32 bytes in base64, base64url or hexadecimal digits',
      }),
    }),
  )
  .min(1)
  .refine((keys) => new Set(keys.map(({ id }) => id)).size === keys.length, { error: 'must have different ids' })

/** Encrypts texts for the host's database. */
export interface Sealer {
  /** `purpose` names the place of the text; in another place it cannot be opened. */
  seal(text: string, purpose: string): string
  /** @throws Error where it was not sealed for this purpose with a key that is known; says nothing of the content */
  open(sealed: string, purpose: string): string
  /** False for what was sealed with a key that has been replaced. */
  isCurrent(sealed: string): boolean
}

const version = 'v1'
const nonceSize = 12
const tagSize = 16
const keySize = 32

/** AES-256-GCM: seals with the first key, opens with every one. */
export function createSealer(keys: readonly EncryptionKey[]): Sealer {
  const known = new Map(keys.map(({ id, key }) => [id, toBytes(key)]))
  const [current] = known
  return {
    seal(text, purpose) {
      if (!current?.[1]) throw new TypeError('There is no key to encrypt with.')
      const [id, key] = current
      const nonce = randomBytes(nonceSize)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`${version} ${id} ${purpose}`))
      const content = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${version}.${id}.${content.toString('base64url')}`
    },
    open(sealed, purpose) {
      const [name, id = '', content = ''] = sealed.split('.')
      const key = known.get(id)
      if (name !== version || !key) throw new Error(`No encryption key ${JSON.stringify(id)} is known.`)
      const bytes = Buffer.from(content, 'base64url')
      const [nonce, tag] = [bytes.subarray(0, nonceSize), bytes.subarray(-tagSize)]
      const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagSize })
      decipher.setAAD(Buffer.from(`${version} ${id} ${purpose}`)).setAuthTag(tag)
      return decipher.update(bytes.subarray(nonceSize, -tagSize), undefined, 'utf8') + decipher.final('utf8')
    },
    isCurrent: (sealed) => sealed.split('.')[1] === current?.[0],
  }
}

function toBytes(key: string | Secret): Buffer | undefined {
  const text = (key instanceof Secret ? key.reveal() : key).trim()
  const bytes = /^[\da-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64')
  return bytes.length === keySize && /^[\w+/-]+={0,2}$/.test(text) ? bytes : undefined
}
