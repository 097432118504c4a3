import type { Logger } from '../ports.js'

/** A host's logger whose own failures, thrown or rejected, change nothing for a call. */
export function safeLogger(logger: Logger): Logger {
  const write =
    (level: keyof Logger) =>
    (fields: object, message: string): void => {
      try {
        const result: unknown = logger[level](fields, message)
        // A host may log asynchronously, although nobody waits for it.
        Promise.resolve(result).catch(ignore)
      } catch {
        // There is nowhere left to tell it.
      }
    }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}

function ignore(): void {}
