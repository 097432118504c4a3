import { type LookupAddress, lookup as systemLookup } from 'node:dns'
import { type LookupFunction, isIP } from 'node:net'
import { buildConnector } from 'undici'
import { GatewayError } from '../errors.js'
import type { AddressGuard } from './address-guard.js'

/** Every address of a host name; `dns.lookup` in all its parts, so that tests can answer in its place. */
export type Resolve = (
  host: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void

/** The operating system's own resolver. */
export const systemResolve: Resolve = (host, callback) => systemLookup(host, { all: true, verbatim: true }, callback)

/**
 * Makes connections only to addresses that the guard allows. The check is part of connecting: the socket gets the very
 * addresses that were checked, so a name that resolves differently a moment later gains nothing.
 */
export function createGuardedConnector(
  guard: AddressGuard,
  connectTimeoutMs: number,
  resolve: Resolve = systemResolve,
): buildConnector.connector {
  const connect = buildConnector({ timeout: connectTimeoutMs, allowH2: false, lookup: guardedLookup(guard, resolve) })
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '')
    // Sockets do not look up what already is an address.
    if (isIP(host) !== 0 && !guard.allows(host)) return callback(refused(), null)
    connect({ ...options, hostname: host }, (...result) => {
      const [error] = result
      if (error instanceof AddressRefused) return callback(refused(), null)
      callback(...result)
    })
  }
}

function guardedLookup(guard: AddressGuard, resolve: Resolve): LookupFunction {
  return (host, options, callback) =>
    resolve(host, (error, addresses) => {
      if (error) return callback(error, '', 0)
      // One bad address among good ones is how rebinding begins.
      if (addresses.length === 0 || !addresses.every(({ address }) => guard.allows(address))) {
        return callback(new AddressRefused(), '', 0)
      }
      if (options.all) return callback(null, [...addresses])
      const [first] = addresses
      callback(null, first?.address ?? '', first?.family)
    })
}

/** How the lookup tells the connector; sockets pass errors on as they are. */
class AddressRefused extends Error {}

function refused(): GatewayError {
  return new GatewayError('invalid_request', 'The host of this address is not publicly reachable.', {
    code: 'address_not_allowed',
  })
}
