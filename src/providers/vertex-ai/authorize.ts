import type { Deployment } from '../../deployment.js'
import { InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { authorizeGoogle, withAnthropicBetas, withHeaders } from '../authorize.js'
import { type Access, accessOf } from '../google-access.js'
import type { AuthorizeContext } from '../provider.js'
import { isExpress, unknownProject } from './place.js'

/** Signs with the API key of express mode, or with an access token; a project that only the credentials know is put in. */
export function authorizeVertex(
  request: UpstreamRequest,
  deployment: Deployment,
  context: AuthorizeContext,
): UpstreamRequest | Promise<UpstreamRequest> {
  const prepared = withAnthropicBetas(request, deployment)
  const { apiKey } = deployment
  if (isExpress(deployment)) return authorizeGoogle(withProject(prepared, undefined), deployment)
  // A host's own header is a credential of its own.
  if ('authorization' in prepared.headers) return withProject(prepared, undefined)
  if (apiKey) return signed(prepared, { token: apiKey.reveal(), project: undefined, quotaProject: undefined })
  return accessOf(deployment, context).then((access) => signed(prepared, access))
}

function signed(request: UpstreamRequest, { token, project, quotaProject }: Access): UpstreamRequest {
  return withHeaders(withProject(request, project), {
    authorization: `Bearer ${token}`,
    ...(quotaProject !== undefined && { 'x-goog-user-project': quotaProject }),
  })
}

/** @throws InvalidRequestError where the path needs a project and nobody knows it */
function withProject(request: UpstreamRequest, project: string | undefined): UpstreamRequest {
  if (!request.path.includes(unknownProject)) return request
  if (project === undefined) {
    throw new InvalidRequestError(
      'Vertex AI needs a project: give settings.project, or set VERTEXAI_PROJECT.',
      'settings',
    )
  }
  return { ...request, path: request.path.replace(unknownProject, encodeURIComponent(project)) }
}
