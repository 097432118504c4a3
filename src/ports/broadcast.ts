/** Tells other processes of the same gateway that something changed; messages may be lost. */
export interface Broadcast {
  publish(topic: string, message: string): Promise<void>
  /** Gives what ends it. `listener` also hears what this process published. */
  subscribe(topic: string, listener: (message: string) => void): () => void
}
