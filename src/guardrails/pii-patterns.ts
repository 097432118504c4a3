import { isIPv6 } from 'node:net'
import { cardLengths, ibanLength, passesIbanCheck, passesLuhn } from './checksums.js'
import type { TextPattern } from './pattern-scanner.js'
import type { Span } from './scanner.js'
import { secretPatterns } from './secret-patterns.js'

/** What the `pii` guardrail knows; several patterns may share a name. Where two matches begin at one place, the earlier row wins. */
export const piiPatterns: readonly TextPattern[] = [
  ...secretPatterns,
  {
    label: 'iban',
    notAfter: 'A-Za-z0-9',
    match: String.raw`[A-Za-z]{2}\d{2}(?:[ -]?[A-Za-z0-9]){11,30}`,
    partial: String.raw`[A-Za-z](?:[A-Za-z](?:\d(?:\d(?:[ -]?[A-Za-z0-9]){0,30}[ -]?)?)?)?`,
    reach: 68,
    accept: acceptIban,
  },
  {
    label: 'card',
    notAfter: String.raw`\d.`,
    match: String.raw`[2-68](?:[ \u00a0\u2011-]?\d){12,18}`,
    partial: String.raw`[2-68](?:[ \u00a0\u2011-]?\d){0,18}[ \u00a0\u2011-]?`,
    reach: 40,
    accept: acceptCard,
  },
  {
    label: 'email',
    needs: '@',
    notAfter: 'A-Za-z0-9._%+-',
    match: String.raw`[A-Za-z0-9._%+-]{1,128}@(?:[\p{L}\p{N}][\p{L}\p{N}-]{0,62}\.){1,8}(?:xn--[A-Za-z0-9]{2,20}|[A-Za-z]{2,24})(?![A-Za-z0-9-])`,
    partial: String.raw`[A-Za-z0-9._%+-]{1,128}(?:@[\p{L}\p{N}.-]{0,1100})?`,
    flags: 'u',
    reach: 1_250,
  },
  {
    label: 'ssn',
    needs: '-',
    notAfter: String.raw`\w-`,
    match: String.raw`(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])`,
    partial: String.raw`\d[\d-]{0,11}`,
    reach: 14,
  },
  {
    label: 'ip',
    needs: '.',
    notAfter: String.raw`\w.`,
    match: String.raw`(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\w|\.\d)`,
    partial: String.raw`\d[\d.]{0,16}`,
    reach: 20,
  },
  {
    label: 'ip',
    needs: ':',
    notAfter: String.raw`\w:.`,
    match: String.raw`[\da-fA-F]{0,4}:[\da-fA-F:.]{1,44}(?!\w)`,
    partial: String.raw`[\da-fA-F:.]{1,50}`,
    reach: 52,
    accept: acceptIpv6,
  },
  {
    label: 'phone',
    needs: '+',
    notAfter: String.raw`\w+`,
    match: String.raw`\+[1-9]\d{0,2}(?:[ .\-/()\u00a0]{0,2}\d){6,13}(?!\d)`,
    partial: String.raw`\+(?:[1-9]\d{0,2}(?:[ .\-/()\u00a0]{0,2}\d){0,13}[ .\-/()\u00a0]{0,2})?`,
    reach: 48,
  },
  {
    label: 'phone',
    notAfter: String.raw`\w.+-`,
    match: String.raw`(?:1[ .-])?(?:\([2-9]\d{2}\) ?|[2-9]\d{2}[ .-])[2-9]\d{2}[ .-]\d{4}(?!\w|[.-]\d)`,
    partial: String.raw`(?=[\d(])(?:1[ .-]?)?(?:\(\d{0,3}(?:\) ?)?|\d{0,3}[ .-]?)\d{0,3}[ .-]?\d{0,4}[.-]?`,
    reach: 22,
  },
  {
    label: 'phone',
    notAfter: String.raw`\w.+-`,
    match: String.raw`(?<!\d[ -])(?:\(0[1-9]\d{0,3}\) ?|0[1-9]\d{0,3}[ /-])\d{2,4}(?:[ -]?\d{2,4}){1,3}(?!\w|[.-]\d)`,
    partial: String.raw`(?=[0(])\(?(?:0[\d /)-]{0,26}[.]?)?`,
    reach: 30,
    accept: acceptNationalPhone,
  },
]

/** Names of what the `pii` guardrail finds: `email phone card iban ssn ip` and the secrets `secret jwt private_key`. */
export const piiLabels: readonly string[] = [...new Set(piiPatterns.map(({ label }) => label))]

/** Those of `piiLabels` that are credentials. */
export const secretLabels: readonly string[] = [...new Set(secretPatterns.map(({ label }) => label))]

/** Cuts at the length of the country; what follows may be the next word. */
function acceptIban(text: string, { start, end }: Span): number | undefined {
  const length = ibanLength(text.slice(start, start + 2))
  let place = start
  let iban = ''
  while (length !== undefined && place < end && iban.length < length) {
    const character = text[place] ?? ''
    if (character !== ' ' && character !== '-') iban += character
    place += 1
  }
  if (iban.length !== length || /[A-Za-z0-9]/.test(text[place] ?? '')) return undefined
  return passesIbanCheck(iban) ? place : undefined
}

/** The longest number of a card that ends between two groups of digits: a check value may follow. */
function acceptCard(text: string, { start, end }: Span): number | undefined {
  let digits = ''
  const ends: number[] = []
  for (let place = start; place < end; place += 1) {
    if (!isDigit(text[place])) continue
    digits += text[place]
    ends.push(place + 1)
  }
  for (const length of cardLengths(digits)) {
    const place = ends[length - 1]
    if (place !== undefined && !isDigit(text[place]) && passesLuhn(digits.slice(0, length))) return place
  }
  return undefined
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= '0' && character <= '9'
}

/** Without what ends a sentence; `a::b` is a name in a program rather than an address. */
function acceptIpv6(text: string, { start, end }: Span): number | undefined {
  let place = end
  while (place > start && (text[place - 1] === '.' || (text[place - 1] === ':' && text[place - 2] !== ':'))) place -= 1
  const address = text.slice(start, place)
  return /\d/.test(address) && isIPv6(address) ? place : undefined
}

/** Dates have eight digits. */
function acceptNationalPhone(text: string, { start, end }: Span): number | undefined {
  let digits = 0
  for (let place = start; place < end; place += 1) if (isDigit(text[place])) digits += 1
  return digits >= 9 && digits <= 13 ? end : undefined
}
