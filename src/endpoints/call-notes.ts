import { type DocumentedFailure, callFailures } from '../http/openapi/failure-notes.js'

/** What the routes that call a model have in common in the documentation. */
export const callNotes: {
  readonly errors: readonly DocumentedFailure[]
  readonly requestHeaders: Readonly<Record<string, string>>
  readonly answerHeaders: Readonly<Record<string, string>>
} = {
  errors: callFailures,
  requestHeaders: {
    'idempotency-key': 'Asked again with the same key and body, the call is not made twice.',
    'x-sluice-tags': 'Labels of the call, separated by commas.',
    'x-sluice-explain': '`true`: the answer tells how its deployment was chosen.',
  },
  answerHeaders: {
    'x-sluice-deployment': 'The id of the deployment that answered.',
    'x-sluice-attempts': 'How many attempts were made.',
    'x-sluice-fallback': 'The model group that took over, where one did.',
    'x-sluice-explain': 'A JSON list of the attempts and why each was made, where it was asked for.',
    'x-sluice-dropped-params': 'Parameters that the provider cannot honour and that were left out.',
    'x-sluice-cache': '`hit`, `partial` or `miss`, where there is a cache.',
    'x-sluice-guardrails': 'What guardrails found, where some ran.',
    'x-sluice-billable': "`false` where the caller's own credentials paid.",
  },
}

/** What Azure's way of writing means, for the routes that have it. */
export const azureNote =
  'The path may name the model, as in Azure: `/openai/deployments/{model}/…`; the body need not then.'
