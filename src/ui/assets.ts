import type { Headers, HttpBodyResponse, HttpRequest } from '../http/message.js'

/** Everything comes from the page's own origin; nothing inline, no frames of others. */
const safety: Headers = {
  'content-security-policy':
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'same-origin',
}

/**
 * Answers with a built file of the admin page (`/index.html`) or of the API docs (`/docs/index.html`); 404 for a file
 * that there is not, 304 where the client has it, 503 in a checkout that was not built. Hashed names are kept for ever.
 */
export async function answerAsset(path: string, request: Pick<HttpRequest, 'headers'>): Promise<HttpBodyResponse> {
  const assets = await loadAssets()
  if (!assets) return textAnswer(503, 'The page was not built: run `npm run build`.')
  const asset = assets.find((candidate) => candidate.path === path)
  if (!asset) return textAnswer(404, 'There is no such file.')
  const isPage = path.endsWith('.html')
  const cached = {
    ...safety,
    'cache-control': isPage ? 'no-cache' : 'public, max-age=31536000, immutable',
    etag: asset.tag,
  }
  if (hasTag(request.headers['if-none-match'], asset.tag)) return { status: 304, headers: cached, body: null }
  return { status: 200, headers: { ...cached, 'content-type': asset.type }, body: asset.text }
}

/** Sends a client to a place that is named relative to the path it asked for, as proxies may have cut a prefix off. */
export function redirectAnswer(location: string): HttpBodyResponse {
  return { status: 308, headers: { ...safety, location, 'cache-control': 'no-cache' }, body: null }
}

/** Proxies that compress make tags weak. */
function hasTag(given: string | undefined, tag: string): boolean {
  return given !== undefined && given.split(',').some((one) => one.trim().replace(/^W\//, '') === tag)
}

function textAnswer(status: number, text: string): HttpBodyResponse {
  const headers = { ...safety, 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
  return { status, headers, body: text }
}

/** Loaded when first asked for: some 200 KB that most processes never serve. */
async function loadAssets() {
  try {
    return (await import('#ui-assets')).assets
  } catch {
    return undefined
  }
}
