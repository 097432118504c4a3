// Bedrock's: `us.anthropic.claude-…-v1:0`.
const vendors =
  'anthropic|amazon|meta|mistral|cohere|ai21|openai|qwen|google|moonshotai|moonshot|zai|minimax|nvidia|writer'
const vendorPrefix = new RegExp(
  `^(?:(?:us-gov|us|eu|apac|jp|au|ca|sa|global)\\.)?(?:(?:${vendors})\\.|(?=deepseek\\.))`,
)
const vendorRevision = /(?:-v\d+)?(?::\d+)*$/
const hostRevision = /[:@][\w.-]+$/
const date = /-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest)$/

/** A model's own name in lower case: without the path, region, vendor and revision that a host puts around it. */
export function bareModelName(model: string): string {
  const name = model.slice(model.lastIndexOf('/') + 1).toLowerCase()
  const own = name.replace(vendorPrefix, '')
  // DeepSeek's names mean nothing without their first word.
  if (own.startsWith('deepseek.')) return own.replace('.', '-').replace(vendorRevision, '')
  return own === name ? name.replace(hostRevision, '') : own.replace(vendorRevision, '')
}

/**
 * What two names of one model have in common, whichever host they are for: `us.anthropic.claude-haiku-4-5-20251001-v1:0`,
 * `claude-haiku-4-5@20251001` and `anthropic/claude-haiku-4.5` are all `claude-haiku-4-5`.
 */
export function modelKey(model: string): string {
  return bareModelName(model).replace(date, '').replaceAll(/[._]/g, '-')
}
