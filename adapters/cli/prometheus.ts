import type { IncomingMessage, ServerResponse } from 'node:http'
import type { CallbackOptions } from '../../src/index.js'
import { StartError } from './start-error.js'

/** Answers what is for it, and leaves the rest to `next`. */
export type MetricsHandler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

/** The gateway's metrics, and where they are read. */
export interface OpenedPrometheus {
  /** Those of the file, and the sink that counts. */
  readonly callbacks: CallbackOptions
  /** `GET /metrics`, open to everybody as LiteLLM's is. */
  readonly metrics: MetricsHandler
}

/**
 * Counts in a registry of its own, so that nothing else of the process is in it.
 * @throws StartError where the package prom-client is not installed
 */
export async function openPrometheus(callbacks: CallbackOptions = { sinks: [] }): Promise<OpenedPrometheus> {
  const client = await loadPrometheus()
  const registry = new client.Registry()
  return {
    callbacks: { ...callbacks, sinks: [...callbacks.sinks, { type: 'prometheus', client, registry }] },
    metrics(request, response, next) {
      if (!isForMetrics(request)) return next()
      registry.metrics().then(
        (text) => answer(response, 200, registry.contentType, text),
        () => answer(response, 500, 'text/plain; charset=utf-8', 'The metrics could not be read.\n'),
      )
    },
  }
}

/** Where there are no metrics. */
export const passOn: MetricsHandler = (_request, _response, next) => next()

function isForMetrics({ method, url = '' }: IncomingMessage): boolean {
  return (method === 'GET' || method === 'HEAD') && /^\/metrics\/?(\?|$)/.test(url)
}

function answer(response: ServerResponse, status: number, contentType: string, text: string): void {
  const headers = { 'content-type': contentType, 'content-length': Buffer.byteLength(text) }
  // Node itself leaves the body of an answer to HEAD out.
  response.writeHead(status, headers).end(text)
}

async function loadPrometheus(): Promise<typeof import('prom-client')> {
  try {
    return await import('prom-client')
  } catch (cause) {
    throw new StartError(
      'the configuration names prometheus, which needs the package prom-client, which is not installed: npm install prom-client',
      { cause },
    )
  }
}
