import { z } from 'zod'
import { type AwsCredentialSource, type AwsCredentials, awsDomain } from '../upstream/aws-credentials.js'
import { signAwsRequest } from '../upstream/sigv4.js'
import { DeliveryError, type SinkAnswer, type SinkRequest } from './http.js'
import { address, type SecretText, secret } from './settings.js'
import type { SinkParts } from './sink.js'

/** Whose AWS account it is. */
export interface AwsOptions {
  readonly region: string
  /** Keys, or the host's own way to them, asked for every delivery: AWS's credential providers fit. */
  readonly credentials: AwsKeyOptions | AwsCredentialSource
  /** For services that speak AWS's language, such as MinIO. @default the region's own address */
  readonly endpoint?: string | undefined
}

/** Keys as they are configured. */
export interface AwsKeyOptions {
  readonly accessKeyId: string
  readonly secretAccessKey: SecretText
  readonly sessionToken?: SecretText | undefined
}

const keys = z.strictObject({
  accessKeyId: z.string().min(1),
  secretAccessKey: secret,
  sessionToken: secret.optional(),
})

/** The shape of `AwsOptions`; a source of credentials is a function. */
export const awsShape = {
  region: z.string().regex(/^[a-z0-9-]+$/),
  credentials: z.union([
    keys,
    z.custom<AwsCredentialSource>((value) => typeof value === 'function', { error: 'must be keys or a function' }),
  ]),
  endpoint: address.optional(),
}

type AwsSettings = z.output<z.ZodObject<typeof awsShape>>

/** Sends a request signed for a service. @throws DeliveryError where there are no credentials or no answer */
export type SendToAws = (request: SinkRequest, deadlineMs: number) => Promise<SinkAnswer>

/** Builds the way to one service. */
export function createAwsSender(service: string, settings: AwsSettings, { send, clock }: SinkParts): SendToAws {
  return async (request, deadlineMs) => {
    const credentials = await credentialsOf(settings)
    const { method = 'POST', url, headers, body } = request
    const scope = { service, region: settings.region, now: clock.now() }
    const signed = signAwsRequest({ method, url, headers, body }, credentials, scope)
    try {
      return await send({ ...request, headers: signed }, deadlineMs)
    } catch {
      throw new DeliveryError(`no answer of ${service}`, { retry: true })
    }
  }
}

async function credentialsOf({ credentials }: AwsSettings): Promise<AwsCredentials> {
  if (typeof credentials !== 'function') {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials
    return { accessKeyId, secretAccessKey: secretAccessKey.reveal(), sessionToken: sessionToken?.reveal() }
  }
  try {
    return await credentials()
  } catch {
    throw new DeliveryError('no AWS credentials', { retry: true })
  }
}

/** A service's address: the endpoint that was given, or the region's. */
export function awsAddress(service: string, { endpoint, region }: AwsSettings): string {
  return endpoint ?? `https://${service}.${region}.${awsDomain(region)}`
}

/** `2026-11-25` and `23-59-59-123`, of the time that a record ended. */
export function toDayAndTime(milliseconds: number): { readonly day: string; readonly time: string } {
  const [day = '', time = ''] = new Date(milliseconds).toISOString().split('T')
  return { day, time: time.replaceAll(/[:.]/g, '-').replace('Z', '') }
}
