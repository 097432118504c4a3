import type { TextPattern } from './pattern-scanner.js'

// Beginnings that vendors give their credentials so that they can be recognised, as their documentation and GitHub's
// list of supported secret scanning patterns state them.
const vendorKeys: readonly (readonly [prefixes: string, rest: string])[] = [
  ['sk-', String.raw`(?:proj-|svcacct-|admin-|ant-(?:api|admin)\d\d-|or-v1-|lf-)?[\w-]{20,200}`],
  ['pk-lf-', String.raw`[\w-]{20,60}`],
  ['AKIA ASIA ABIA ACCA', '[A-Z2-7]{16}'],
  ['gho_ ghp_ ghs_ ghu_ ghr_', '[A-Za-z0-9]{36,255}'],
  ['github_pat_', String.raw`\w{22,255}`],
  ['glpat-', String.raw`[\w-]{20,60}`],
  ['xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs-', '[A-Za-z0-9-]{10,250}'],
  ['xapp-', '[A-Za-z0-9-]{10,250}'],
  ['AIza', String.raw`[\w-]{35}`],
  ['ya29.', String.raw`[\w-]{20,255}`],
  ['rk_live_ rk_test_ sk_live_ sk_test_', '[A-Za-z0-9]{16,250}'],
  ['whsec_', '[A-Za-z0-9]{24,64}'],
  ['SG.', String.raw`[\w-]{16,32}\.[\w-]{16,64}`],
  ['npm_', '[A-Za-z0-9]{36}'],
  ['pypi-', String.raw`[\w-]{50,255}`],
  ['hf_', '[A-Za-z0-9]{30,60}'],
  ['gsk_', '[A-Za-z0-9]{40,80}'],
  ['xai-', '[A-Za-z0-9]{60,100}'],
  ['pplx-', '[A-Za-z0-9]{40,80}'],
  ['r8_', '[A-Za-z0-9]{37}'],
  ['nvapi-', String.raw`[\w-]{50,100}`],
  ['doo_v1_ dop_v1_ dor_v1_', '[a-f0-9]{64}'],
  ['shpat_ shpca_ shppa_ shpss_', '[a-fA-F0-9]{32}'],
  ['sq0atp- sq0csp-', String.raw`[\w-]{22,43}`],
  ['lin_api_', '[A-Za-z0-9]{40}'],
  ['dapi', '[a-f0-9]{32}'],
]

const vendorPrefixes = vendorKeys.flatMap(([prefixes]) => prefixes.split(' '))
const escaped = (literal: string): string => literal.replaceAll('.', String.raw`\.`)
const beginnings = new Set(vendorPrefixes.flatMap((prefix) => Array.from(prefix, (_, i) => prefix.slice(0, i + 1))))

const privateKey = '(?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----'
// Stops at the next row of dashes, so that a text full of beginnings is read once.
const keyBody = '(?:[^-]|-(?!----)){0,8000}'

/** Credentials: what gives its owner away by how it begins. */
export const secretPatterns: readonly TextPattern[] = [
  {
    label: 'private_key',
    needs: '-----BEGIN ',
    notAfter: '-',
    // Also a key that the text breaks off in.
    match: `-----BEGIN ${privateKey}${keyBody}(?:-----END ${privateKey}|$)`,
    partial: `-{1,5}|-----(?:B|BE|BEG|BEGI|BEGIN[A-Z0-9 ]{0,60}-{0,5}|BEGIN ${privateKey}${keyBody}(?:-----[A-Z0-9 ]{0,70}-{0,5})?)`,
    reach: 8_300,
  },
  {
    label: 'jwt',
    needs: 'eyJ',
    notAfter: String.raw`\w.-`,
    match: String.raw`eyJ[\w-]{5,2000}\.eyJ[\w-]{5,4000}\.[\w-]{10,1000}`,
    partial: String.raw`e|ey|eyJ[\w-]{0,2000}(?:\.(?:e|ey|eyJ[\w-]{0,4000}(?:\.[\w-]{0,1000})?)?)?`,
    reach: 7_020,
  },
  {
    label: 'secret',
    notAfter: 'A-Za-z0-9_',
    match: vendorKeys.map(([prefixes, rest]) => `(?:${prefixes.split(' ').map(escaped).join('|')})${rest}`).join('|'),
    partial: [
      ...vendorPrefixes.map((prefix) => String.raw`${escaped(prefix)}[\w.-]{0,270}`),
      ...[...beginnings].map(escaped),
    ].join('|'),
    reach: 290,
  },
]
