import { z } from 'zod'
import { jsonAnswer } from '../http/answer.js'
import { type DocumentNotes, toOpenApi } from '../http/openapi/document.js'
import { type Route, type RouteExample, defineRoute } from '../http/route.js'

const Document = z.looseObject({
  openapi: z.string(),
  info: z.looseObject({ title: z.string(), version: z.string() }),
  paths: z.looseObject({}),
})

/** `GET /openapi.json`: written from the very table that serves the requests, at the first time of asking. */
export function openapi(routes: () => readonly Route[], notes: DocumentNotes): Route {
  let written: string | undefined
  return defineRoute({
    method: 'GET',
    paths: ['/openapi.json'],
    access: 'public',
    summary: 'This description.',
    response: Document,
    examples,
    handle: () => {
      written ??= JSON.stringify(toOpenApi(routes(), notes))
      return jsonAnswer(200, written)
    },
  })
}

const examples: Readonly<Record<string, RouteExample>> = {
  document: {
    summary: 'Its first lines',
    answer: { openapi: '3.1.0', info: { title: 'Sluice', version: '1' }, paths: {} },
  },
}
