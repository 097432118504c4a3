import type { PlacedText } from './texts.js'

interface Sign {
  readonly weight: number
  readonly pattern: RegExp
}

// Every repetition is bounded: what is searched comes from strangers.
const what = String.raw`(?:instructions?|prompts?|rules?|directives?|guidelines?|commands?|messages?|orders)`
const before = String.raw`(?:previous|prior|above|preceding|earlier|original|initial|existing|system|your|these|those|the)`
const gap = String.raw`(?:\w{1,20}[ ,]{1,2}){0,4}`
const shortGap = String.raw`(?:\w{1,20}[ ,]{1,2}){0,2}`

/** What attempts say, in lower case; weights of different signs add up to 1 at most. */
const signs: readonly Sign[] = [
  {
    weight: 0.7,
    pattern: new RegExp(
      String.raw`\b(?:ignore|disregard|forget|override|bypass|neglect|skip)\b ${gap}${before} ${shortGap}${what}\b`,
    ),
  },
  {
    weight: 0.7,
    pattern:
      /\b(?:forget|ignore|disregard) (?:everything|anything|all)(?: \w{1,20}){0,3} (?:above|before|told|said|learned)\b/,
  },
  {
    weight: 0.7,
    pattern: new RegExp(
      String.raw`\b(?:reveal|print|show|repeat|output|display|leak|tell me|give me|what (?:is|are|was|were)) ${gap}(?:your|the) ${gap}(?:(?:system|initial|hidden|secret|developer) (?:prompt|message|instructions?)|(?:original|exact) instructions)\b`,
    ),
  },
  {
    weight: 0.7,
    pattern:
      /<\|(?:im_start|im_end|system|endoftext|start_header_id|eot_id)\|>|\[\/?inst\]|<<\/?sys>>|^#{2,4} ?(?:system|instruction)s?:/m,
  },
  {
    weight: 0.6,
    pattern: /\byou are now (?:\w{1,20} ){0,3}(?:dan|jailbroken|unrestricted|unfiltered|uncensored|free of)\b/,
  },
  {
    weight: 0.6,
    pattern: /\b(?:do anything now|jailbreak mode|developer mode (?:enabled|on|activated)|god mode|dan mode)\b/,
  },
  {
    weight: 0.6,
    pattern:
      /\b(?:without|no|free (?:of|from)|ignoring) (?:any |all |your )?(?:restrictions?|filters?|safety (?:rules|guidelines|measures)|ethical (?:guidelines|constraints)|content polic(?:y|ies))\b/,
  },
  {
    weight: 0.6,
    pattern: /\b(?:new|updated|real|actual) (?:system )?(?:instructions?|prompt|rules) ?(?:follow|are|is)?:/,
  },
  {
    weight: 0.4,
    pattern:
      /\b(?:pretend|act|behave|roleplay|role-play)(?: \w{1,20}){0,3} (?:as|like|to be) (?:\w{1,20} ){0,4}(?:no|without|unrestricted|evil|hacker|admin|root|developer)\b/,
  },
  { weight: 0.4, pattern: /\b(?:decode|execute|follow|obey) (?:\w{1,20} ){0,3}(?:base64|rot13|hex|encoded)\b/ },
  { weight: 0.3, pattern: /\b(?:system|assistant) ?(?:override|prompt|mode)\b/ },
  { weight: 0.3, pattern: /\bfrom now on\b|\byou must (?:comply|obey|answer)\b|\bdo not (?:refuse|decline|warn)\b/ },
]

// What an operator writes is trusted.
const trustedRoles: ReadonlySet<string | undefined> = new Set(['system', 'developer', 'assistant'])
const invisible = /[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]|\udb40[\udc00-\udc7f]/g

/** How much texts of users and tools talk like an attempt to take the model over, 0 to 1. */
export function injectionScore(texts: readonly Pick<PlacedText, 'text' | 'role'>[]): number {
  const untrusted = texts.filter(({ role }) => !trustedRoles.has(role)).map(({ text }) => normalise(text))
  return Math.max(0, ...untrusted.map(scoreOf))
}

/** Tricks that a reader does not see do not count: invisible characters, look-alike forms, line breaks. */
function normalise(text: string): string {
  return text
    .normalize('NFKC')
    .replaceAll(invisible, '')
    .toLowerCase()
    .replaceAll(/[^\S\n]+/g, ' ')
    .replaceAll(/(\S) ?\n(?=[a-z])/g, '$1 ')
}

function scoreOf(text: string): number {
  const sum = signs.reduce((total, { weight, pattern }) => (pattern.test(text) ? total + weight : total), 0)
  return Math.min(1, sum)
}
