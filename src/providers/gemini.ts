import { geminiProtocol } from '../protocols/gemini/index.js'
import { aiStudio } from '../protocols/gemini/options.js'
import type { Protocol } from '../protocols/protocol.js'
import { createImagen } from '../protocols/vertex-predict/imagen.js'
import { authorizeGoogle, withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import { chooseCodec } from './choose-codec.js'
import type { Provider } from './provider.js'

const { images } = geminiProtocol.codecs
if (!images) throw new TypeError("Gemini's dialect has lost an operation")

/** Gemini's models draw over generateContent, Imagen's over `:predict`: https://ai.google.dev/gemini-api/docs/imagen */
const protocol: Protocol = {
  ...geminiProtocol,
  codecs: {
    ...geminiProtocol.codecs,
    images: chooseCodec(images, createImagen(aiStudio.path), ({ deployment }) =>
      /^(?:models\/)?imagen/.test(deployment.model),
    ),
  },
}

/** Google AI Studio's generateContent API. */
export const gemini: Provider = {
  name: 'gemini',
  displayName: 'Google AI Studio (Gemini)',
  aliases: [],
  protocol,
  baseUrl: 'https://generativelanguage.googleapis.com',
  baseUrlEnv: ['GEMINI_API_BASE'],
  apiKeyEnv: ['GOOGLE_API_KEY', 'GEMINI_API_KEY', 'PALM_API_KEY'],
  apiKeyRequired: true,
  capabilities: { chat: true, stream: true, completions: false, embeddings: true, images: true },
  status: 'active',
  notice: undefined,
  completeBaseUrl: (url) => withoutEnding(url, ['/v1beta/models', '/v1beta', '/v1']),
  authorize: (request, deployment) => authorizeGoogle(withDeploymentHeaders(request, deployment), deployment),
}
