import {
  type Caller,
  type HttpRequest,
  type HttpResponse,
  type Mountable,
  GatewayError,
  answerAsset,
  errorAnswer,
  isObject,
  redirectAnswer,
} from '../src/index.js'
import { type BothApis, describeBoth } from './whole-description.js'

/** What the page needs of a gateway. */
export type UiGateway<Host = unknown> = BothApis<Host>

const apiPrefix = '/api/'

/**
 * The admin page, mounted like a gateway: `app.use('/admin', requireAdmin, expressGateway(uiGateway(gateway)))`. Its files
 * are open to whoever reaches the mount; what they show is the gateway's and its management API's to give, which are
 * served below `api/` of the mount and ask the gateway's own `auth`. Any other path is null, as of a gateway.
 */
export function uiGateway<Host>(gateway: UiGateway<Host>): Mountable<Host> {
  return {
    handle(request, caller) {
      const { path } = request
      if (path.startsWith(apiPrefix)) return forward(gateway, request, caller)
      if (request.method !== 'GET' && request.method !== 'HEAD') return null
      if (path === '/openapi.json') return describeBoth(gateway, at(request, '/openapi.json'), 'api')
      if (path === '/') return answerPage(request)
      if (path === '/docs') return Promise.resolve(redirectAnswer('./docs/'))
      if (path === '/docs/') return answerAsset('/docs/index.html', request)
      return path.startsWith('/assets/') || path.startsWith('/docs/assets/') ? answerAsset(path, request) : null
    },
  }
}

/** The page names its files relative to its own folder, so a mount that is asked for without the last slash gets it. */
async function answerPage<Host>(request: HttpRequest<Host>): Promise<HttpResponse> {
  const [, folder] = /([^/]+)$/.exec(pathOf(request.host)) ?? []
  if (folder !== undefined) return redirectAnswer(`./${folder}/`)
  return answerAsset('/index.html', request)
}

/** The path that the framework was asked for, with the mount: Express and Koa keep it, `node:http` and `fetch` do not cut it. */
function pathOf(host: unknown): string {
  if (!isObject(host)) return '/'
  const url = host['originalUrl'] ?? host['url']
  if (typeof url !== 'string') return '/'
  const [path = '/'] = url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '').split(/[?#]/, 1)
  return path
}

/** The management API first; the model API's own paths after it. */
async function forward<Host>(
  gateway: UiGateway<Host>,
  request: HttpRequest<Host>,
  caller: Caller | undefined,
): Promise<HttpResponse> {
  const inner = at(request, request.path.slice(apiPrefix.length - 1))
  const answer = await (gateway.admin.handle(inner, caller) ?? gateway.handle(inner, caller))
  if (!answer) return errorAnswer(new GatewayError('not_found', `There is no ${request.method} ${inner.path} here.`))
  return { ...answer, headers: { 'cache-control': 'no-store', ...answer.headers } }
}

/** The same request at another path. */
function at<Host>(request: HttpRequest<Host>, path: string): HttpRequest<Host> {
  return {
    method: request.method,
    path,
    get query() {
      return request.query
    },
    get headers() {
      return request.headers
    },
    get signal() {
      return request.signal
    },
    ...(request.leaving && { leaving: request.leaving }),
    host: request.host,
    json: (limitBytes) => request.json(limitBytes),
  }
}
