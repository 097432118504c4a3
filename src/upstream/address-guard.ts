import { BlockList, isIP } from 'node:net'

/** Hosts that may be talked to, and non-public networks that count as public. */
export interface AddressRules {
  /**
   * `[scheme://]host[:port]`; without a scheme https is meant, without a port the scheme's own. `*.example.com` stands
   * for every name below it. `'any'`: every public host on the ports of http and https.
   */
  readonly hosts: readonly string[] | 'any'
  /** CIDR blocks such as `10.1.0.0/16` that are allowed although they are not public; link-local ones never are. */
  readonly privateNetworks?: readonly string[] | undefined
}

/** Tells where a request may go: by its URL before anything is done, by its address before a connection is made. */
export interface AddressGuard {
  /** The parsed URL, or why it is refused; the reason does not repeat the URL. */
  check(url: string): URL | string
  /** True for an IP address, in canonical text form, that may be connected to. */
  allows(address: string): boolean
}

// IANA's special-purpose registries (https://www.iana.org/assignments/iana-ipv4-special-registry and -ipv6-), and
// what is not assigned as global unicast.
const special = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.31.196.0/24',
  '192.52.193.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '192.175.48.0/24',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Azure's platform address answers metadata and DNS inside every virtual machine; it looks public.
  '168.63.129.16/32',
  '2001::/23',
  '2001:db8::/32',
  '2002::/16',
  '3fff::/20',
  '5f00::/16',
  '64:ff9b::/96',
  '64:ff9b:1::/48',
]

// The only IPv6 space that is handed out: everything outside is loopback, mapped, local, multicast or unassigned.
const globalUnicast = toBlockList(['2000::/3'])
const specialAddresses = toBlockList(special)
// Metadata services live here; no configuration opens it.
const neverAllowed = toBlockList([
  '0.0.0.0/8',
  '100.100.100.200/32',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '192.0.0.192/32',
  '64:ff9b::/96',
  'fd00:c1::a9fe:a9fe/128',
  'fd00:ec2::/32',
  'fd20:ce::254/128',
  'fe80::/10',
])

/**
 * Builds a guard.
 * @throws TypeError for a host or network that cannot be read
 */
export function createAddressGuard({ hosts, privateNetworks = [] }: AddressRules): AddressGuard {
  const rules = hosts === 'any' ? undefined : hosts.map(toHostRule)
  const opened = toBlockList(privateNetworks)
  const allows = (address: string): boolean =>
    isPublicAddress(address) || (within(opened, address) && !within(neverAllowed, address))
  return { allows, check: (url) => checkUrl(url, rules, allows) }
}

/** True for an IP address that belongs to the public internet; false for every special one and for what is no address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !within(specialAddresses, address)
  // A zone (`fe80::1%eth0`) exists only for addresses that are not global.
  if (family === 6 && !address.includes('%')) {
    return within(globalUnicast, address) && !within(specialAddresses, address)
  }
  return false
}

interface HostRule {
  readonly protocol: string
  readonly port: string
  readonly host: string
  readonly below: boolean
}

const defaultPorts: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

const portOf = (url: URL): string => url.port || (defaultPorts[url.protocol] ?? '')

function toHostRule(entry: string): HostRule {
  const below = /^(?:https?:\/\/)?\*\./.test(entry)
  const text = (entry.includes('://') ? entry : `https://${entry}`).replace('*.', '')
  const url = URL.canParse(text) ? new URL(text) : undefined
  const isHost = url && url.protocol in defaultPorts && url.pathname === '/' && !/[?#@\\\s]/.test(text)
  if (!isHost || url.hostname.includes('*') || entry.endsWith('/')) {
    throw new TypeError(`"${entry}" is no host: write api.example.com, *.example.com or https://example.com:8443.`)
  }
  return { protocol: url.protocol, port: portOf(url), host: withoutDot(url.hostname), below }
}

// `example.com.` is the same host as `example.com`.
const withoutDot = (host: string): string => (host.endsWith('.') ? host.slice(0, -1) : host)

// Readers of URLs disagree about white space, backslashes and missing slashes; only what all read alike is taken.
const plainUrl = /^https?:\/\/[^/?#@:\s\\][^\s\\\p{Cc}]*$/iu
const authority = /^https?:\/\/([^/?#]*)/i

function checkUrl(
  text: string,
  rules: readonly HostRule[] | undefined,
  allows: (address: string) => boolean,
): URL | string {
  if (!plainUrl.test(text) || !URL.canParse(text)) return 'It is not a plain http or https URL.'
  const url = new URL(text)
  if (url.username || url.password || authority.exec(text)?.[1]?.includes('@'))
    return 'It must not contain credentials.'
  if (text.includes('#')) return 'It must not contain a fragment.'
  const host = withoutDot(url.hostname)
  if (host === '' || host.endsWith('.')) return 'It is not a plain http or https URL.'
  const address = host.startsWith('[') ? host.slice(1, -1) : host
  if (!rules) {
    if (portOf(url) !== defaultPorts[url.protocol]) return 'Its port is not allowed.'
    return isIP(address) === 0 || allows(address) ? url : 'Its host is not allowed.'
  }
  return rules.some((rule) => matches(rule, url, host)) ? url : 'Its host is not allowed.'
}

function matches(rule: HostRule, url: URL, host: string): boolean {
  if (rule.protocol !== url.protocol || rule.port !== portOf(url)) return false
  return rule.below ? host.endsWith(`.${rule.host}`) : host === rule.host
}

function within(list: BlockList, address: string): boolean {
  const family = isIP(address)
  return family !== 0 && list.check(address, family === 6 ? 'ipv6' : 'ipv4')
}

/** @throws TypeError for what is no CIDR block */
function toBlockList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits = ''] = network.split('/')
    const family = isIP(address)
    const most = family === 6 ? 128 : 32
    if (family === 0 || !/^\d{1,3}$/.test(bits) || Number(bits) > most) {
      throw new TypeError(`"${network}" is no network: write it like 10.1.0.0/16 or fd12:3456::/32.`)
    }
    list.addSubnet(address, Number(bits), family === 6 ? 'ipv6' : 'ipv4')
  }
  return list
}
