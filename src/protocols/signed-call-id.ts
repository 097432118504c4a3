const separator = '__thought__'

/** A tool call id that also carries a signature, for clients that keep only OpenAI's documented fields. */
export function toSignedId(id: string, signature: string | undefined): string {
  return signature === undefined ? id : `${id}${separator}${signature}`
}

/** The two parts of an id that may carry a signature. */
export function splitSignedId(id: string): { readonly bare: string; readonly signature: string | undefined } {
  const at = id.indexOf(separator)
  if (at === -1) return { bare: id, signature: undefined }
  return { bare: id.slice(0, at), signature: id.slice(at + separator.length) }
}

/** The id as the provider or we made it, without a signature behind it. */
export function toBareId(id: string): string {
  return splitSignedId(id).bare
}
