/** A way to a server that can be cut, and mended. */
export interface CutProxy {
  /** The server's address by this way. */
  readonly url: string
  /** Drops every connection, and refuses new ones. */
  cut(): void
  /** Takes connections again. */
  mend(): void
  close(): Promise<void>
}

/** Listens on a free port and forwards to the server at `url`. */
export function createCutProxy(url: string): Promise<CutProxy>
