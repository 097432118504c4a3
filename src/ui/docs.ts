import { type Route, defineRoute } from '../http/route.js'
import { answerAsset, redirectAnswer } from './assets.js'

/** `GET /docs/`: an interactive page over `GET /openapi.json`, open to everybody as that is. */
export function docs(): readonly Route[] {
  return [
    defineRoute({
      method: 'GET',
      paths: ['/docs'],
      access: 'public',
      summary: 'Leads to the documentation.',
      // The files of the page are named relative to its folder.
      handle: () => redirectAnswer('./docs/'),
    }),
    defineRoute({
      method: 'GET',
      paths: ['/docs/', '/docs/assets/{file}'],
      access: 'public',
      summary: 'Documents every path, with a form to try it.',
      handle: ({ request, params }) => {
        const { file } = params
        return answerAsset(file === undefined ? '/docs/index.html' : `/docs/assets/${file}`, request)
      },
    }),
  ]
}
