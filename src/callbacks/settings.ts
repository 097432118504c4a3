import { z } from 'zod'
import { Secret } from '../secret.js'

/** A credential, as text or hidden already; always hidden afterwards. */
export const secret = z
  .union([z.string().min(1), z.instanceof(Secret)])
  .transform((value) => (typeof value === 'string' ? new Secret(value) : value))

/** An `http:` or `https:` address, as it is. */
export const fullAddress = z.url({ protocol: /^https?$/, error: 'must be an http or https address' })

/** An address that paths are added to: without the slash at its end. */
export const address = fullAddress.transform((url) => url.replace(/\/+$/, ''))

/** Names and values of headers. */
export const headers = z
  .record(z.string(), z.string())
  .transform((given) => Object.fromEntries(Object.entries(given).map(([name, value]) => [name.toLowerCase(), value])))

/** What a client's credential is given as. */
export type SecretText = string | Secret

/** An object of the host's with these methods. */
export const objectWith = <T extends object>(...methods: readonly string[]) =>
  z.custom<T>(
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      methods.every((name) => typeof Reflect.get(value, name) === 'function'),
    { error: `must have ${methods.join(', ')}` },
  )

/** Headers of a JSON body. */
export const jsonHeaders = { 'content-type': 'application/json' } as const

/** `Bearer …` */
export const bearer = (key: Secret): string => `Bearer ${key.reveal()}`

/** HTTP's basic authentication. */
export const basic = (name: string, password: Secret): string =>
  `Basic ${Buffer.from(`${name}:${password.reveal()}`).toString('base64')}`
