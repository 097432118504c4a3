import { toModels } from '../config/models.js'
import { ModelEntry } from '../config/schemas.js'
import { type Findings, siftConfig } from '../config/sift.js'
import type { ModelInput } from '../endpoints/management/parts.js'
import { InvalidRequestError } from '../errors.js'
import { toInvalidRequest } from '../http/dispatch.js'
import type { ModelOptions } from '../options.js'
import { type JsonObject, isObject, parseJson } from '../wire/json.js'

/**
 * What a deployment given over HTTP means. Unlike in a host's own file, nothing is looked up in the environment or in
 * files, and what has no effect is refused.
 * @throws InvalidRequestError naming the parameter, never its value
 */
export function toModelOptions(id: string, { model_name, litellm_params, model_info }: ModelInput): ModelOptions {
  const input = { model_name, litellm_params, model_info }
  refuseReferences(input, '')
  const findings: Findings = { problems: [], warnings: [] }
  const entry = readEntry(siftConfig({ model_list: [input] }, findings))
  const [model, another] = toModels([entry], findings.warnings)
  const finding = [...findings.problems, ...findings.warnings].find((line) => !isOfFreeData(line))
  if (finding !== undefined) throw toRefusal(finding)
  if (!model || another) {
    throw new InvalidRequestError('Give one organization, for one deployment.', 'litellm_params.organization')
  }
  refuseMachineCredentials(model.settings)
  return { ...model, id }
}

function readEntry({ model_list: list }: JsonObject): ModelEntry {
  const result = ModelEntry.safeParse(Array.isArray(list) ? list[0] : undefined, { reportInput: false })
  if (result.success) return result.data
  throw toInvalidRequest(result.error)
}

/** `model_info` may hold anything; what has no effect there is information. */
function isOfFreeData(finding: string): boolean {
  return finding.startsWith('model_list[0].model_info.') && !finding.includes('not understood')
}

/** Findings of the file reader begin with the path: `model_list[0].litellm_params.x: why`. */
function toRefusal(finding: string): InvalidRequestError {
  const [, path = '', why = ''] = /^model_list\[0\]\.([^:]*): (.*)$/s.exec(finding) ?? []
  return new InvalidRequestError(`'${path}' cannot be used: ${why}.`, path)
}

function refuseReferences(value: unknown, path: string): void {
  if (typeof value === 'string' && value.includes('os.environ/')) {
    throw new InvalidRequestError('Variables of the environment cannot be named over HTTP.', path)
  }
  if (typeof value !== 'object' || value === null) return
  for (const [name, member] of Object.entries(value)) refuseReferences(member, path === '' ? name : `${path}.${name}`)
}

/** Files and identities of the machine are the host's to give, in its own model list. */
function refuseMachineCredentials(settings: JsonObject | undefined): void {
  if (settings?.['profile'] !== undefined) throw ofMachine('aws_profile_name')
  const credentials = settings?.['credentials']
  if (credentials === undefined) return
  const content = typeof credentials === 'string' ? parseJson(credentials) : credentials
  const type = isObject(content) ? content['type'] : undefined
  if (type !== 'service_account' && type !== 'authorized_user') throw ofMachine('vertex_credentials')
}

function ofMachine(name: string): InvalidRequestError {
  return new InvalidRequestError(
    `'${name}' must hold the credentials themselves: files and identities of the machine are not used for a model that is added over HTTP.`,
    `litellm_params.${name}`,
  )
}
