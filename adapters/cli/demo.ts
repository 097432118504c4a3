import { modelsFromEnvironment } from '../../src/index.js'
import { fakeProvider, startFakeUpstream } from '../../src/testing/index.js'
import type { Environment, Setup } from './setup.js'

/** Serves the fake provider, which runs in this process, and every real one whose key the environment holds. */
export async function setupDemo(env: Environment): Promise<Setup> {
  const upstream = await startFakeUpstream({ journalSize: 0 })
  const real = modelsFromEnvironment(env)
  const fake = ['demo', 'demo-embeddings', 'demo-images', 'demo-moderation'].map((name) => {
    return { modelName: name, model: `fake/${name}`, prices: { input: 2, output: 8 } }
  })
  return {
    options: {
      models: [...fake, { modelName: 'fake/*', model: 'fake/*' }, ...real],
      providers: [fakeProvider(upstream.url)],
      env,
    },
    warnings: [],
    banner: (url, masterKey) =>
      demoBanner(
        url,
        masterKey,
        real.map((model) => model.modelName),
      ),
    close: () => upstream.close(),
  }
}

/** What the demo prints: lines to paste, each a whole command of its own. */
export function demoBanner(url: string, masterKey: string, real: readonly string[]): string {
  const post = (path: string, body: object, flags = '') =>
    `curl ${flags}${url}${path} -H 'authorization: Bearer ${masterKey}' -H 'content-type: application/json' -d '${JSON.stringify(body)}'`
  const messages = [{ role: 'user', content: 'Hello from Sluice' }]
  return [
    'This is the demo: the provider "fake" answers, and no key is needed. Open the admin page, signed in:',
    '',
    `${url}/ui/#/overview?key=${encodeURIComponent(masterKey)}`,
    '',
    'Its first chart needs a call: use the page Playground, or paste one of these:',
    '',
    '# chat',
    post('/v1/chat/completions', { model: 'demo', messages }),
    '# chat, streamed slowly',
    post('/v1/chat/completions', { model: 'fake/trickle-100ms', messages, stream: true }, '-N '),
    '# embeddings',
    post('/v1/embeddings', { model: 'demo-embeddings', input: 'Hello from Sluice', dimensions: 4 }),
    '# images',
    post('/v1/images/generations', { model: 'demo-images', prompt: 'A sluice in the rain' }),
    '# models',
    `curl ${url}/v1/models -H 'authorization: Bearer ${masterKey}'`,
    '',
    'Model names ask for faults: fake/slow-500ms, fake/status-429, fake/cut-10, fake/stall-5, fake/hang …',
    real.length > 0
      ? `Real providers whose keys are set: ${real.join(', ')}`
      : 'Real providers join when their keys are set, such as OPENAI_API_KEY or ANTHROPIC_API_KEY.',
    '',
  ].join('\n')
}
