import type { ChatRequest } from './stream-chat.js'

/** The code that makes a call as the page just did, by language. */
export const languages = ['curl', 'JavaScript', 'Python'] as const
export type Language = (typeof languages)[number]

const writers: Readonly<Record<Language, (request: ChatRequest) => string>> = {
  curl: (request) =>
    [
      'curl "$SLUICE_URL/v1/chat/completions" \\',
      '  -H "authorization: Bearer $SLUICE_KEY" \\',
      "  -H 'content-type: application/json' \\",
      `  -d '${JSON.stringify(request, null, 2).replaceAll("'", "'\\''")}'`,
    ].join('\n'),
  JavaScript: (request) =>
    [
      "import OpenAI from 'openai'",
      '',
      "const client = new OpenAI({ apiKey: process.env.SLUICE_KEY, baseURL: process.env.SLUICE_URL + '/v1' })",
      `const answer = await client.chat.completions.create(${JSON.stringify(request, null, 2)})`,
      'console.log(answer.choices[0].message.content)',
    ].join('\n'),
  Python: (request) =>
    [
      'import json, os',
      'from openai import OpenAI',
      '',
      "client = OpenAI(api_key=os.environ['SLUICE_KEY'], base_url=os.environ['SLUICE_URL'] + '/v1')",
      `request = json.loads(${JSON.stringify(JSON.stringify(request))})`,
      'answer = client.chat.completions.create(**request)',
      'print(answer.choices[0].message.content)',
    ].join('\n'),
}

/** Writes it. */
export function toCode(language: Language, request: ChatRequest): string {
  return writers[language](request)
}
