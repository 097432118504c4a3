import {
  type Gateway,
  type HttpRequest,
  type HttpResponse,
  GatewayError,
  errorAnswer,
  isObject,
  jsonAnswer,
  mergeDocuments,
  parseJson,
} from '../src/index.js'

/** The two APIs of a gateway. */
export type BothApis<Host = unknown> = Pick<Gateway<Host>, 'handle' | 'admin'>

/**
 * Answers with one OpenAPI document of both APIs, for what serves both; `serverUrl` is where their paths begin, relative
 * to the document. 404 where a gateway describes nothing.
 */
export async function describeBoth<Host>(
  gateway: BothApis<Host>,
  request: HttpRequest<Host>,
  serverUrl: string,
): Promise<HttpResponse> {
  const answers = await Promise.all([gateway.handle(request), gateway.admin.handle(request)])
  const [models, management] = answers.map(toDocument)
  if (!models || !management) return errorAnswer(new GatewayError('not_found', 'This gateway has no description.'))
  return jsonAnswer(200, mergeDocuments(models, management, serverUrl), { 'cache-control': 'no-cache' })
}

function toDocument(answer: HttpResponse | null): Readonly<Record<string, unknown>> | undefined {
  if (!answer || !('body' in answer) || answer.status !== 200 || answer.body === null) return undefined
  const document = parseJson(Buffer.from(answer.body).toString())
  return isObject(document) ? document : undefined
}

/** A gateway with its management API at the same paths, as one server has them; one document describes both. */
export function wholeGateway<Host>(gateway: BothApis<Host>): Pick<Gateway<Host>, 'handle'> {
  return {
    handle(request, caller) {
      const asksForDescription =
        request.path === '/openapi.json' && (request.method === 'GET' || request.method === 'HEAD')
      if (asksForDescription) return describeBoth(gateway, request, '.')
      return gateway.handle(request, caller) ?? gateway.admin.handle(request, caller)
    },
  }
}
