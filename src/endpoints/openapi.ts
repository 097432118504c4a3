import { jsonAnswer } from '../http/answer.js'
import { toOpenApi } from '../http/openapi.js'
import { type Route, defineRoute } from '../http/route.js'

/** `GET /openapi.json`: written from the very table that serves the requests, at the first time of asking. */
export function openapi(routes: () => readonly Route[]): Route {
  let written: string | undefined
  return defineRoute({
    method: 'GET',
    paths: ['/openapi.json'],
    access: 'public',
    summary: 'This description.',
    handle: () => {
      written ??= JSON.stringify(toOpenApi(routes()))
      return jsonAnswer(200, written)
    },
  })
}
