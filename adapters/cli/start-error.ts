/** A start that failed for a reason the user can mend; printed without a stack, exit code 1. */
export class StartError extends Error {
  override readonly name = 'StartError'
}

const reasons: Readonly<Record<string, string | undefined>> = {
  EADDRINUSE: 'is already in use; choose another one with --port',
  EACCES: 'may not be used by this user; choose a port above 1023 with --port',
  EADDRNOTAVAIL: 'is not an address of this machine; choose another one with --host',
  ENOTFOUND: 'is not a known host; choose another one with --host',
  EAI_AGAIN: 'cannot be looked up now; choose another one with --host',
}

/** Explains why a server cannot listen. */
export function toListenError(error: NodeJS.ErrnoException, place: string): StartError {
  return new StartError(
    `${place} ${reasons[error.code ?? ''] ?? `cannot be listened on (${error.code ?? error.message})`}`,
  )
}

/** Explains why a file cannot be read. */
export function toReadError(error: unknown, fileName: string): StartError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : String(code)
  return new StartError(`cannot read ${fileName}: ${reason}`)
}
