import { ai21Protocol } from '../protocols/ai21/index.js'
import { completionsOverChat } from '../protocols/completions-bridge.js'
import type { Protocol } from '../protocols/protocol.js'
import { choosePerCall } from './choose-codec.js'

const isJurassic = ({ model }: { readonly model: string }): boolean => /^j[12]-/.test(model)

/** Jamba's dialect, with that of the older J1 and J2 models beside it, which continue text. */
export function withJurassic(protocol: Protocol): Protocol {
  const { chat } = protocol.codecs
  if (!chat) return protocol
  const jamba: Protocol = { ...protocol, codecs: { chat, completions: completionsOverChat(chat) } }
  return { ...protocol, codecs: choosePerCall(jamba, ai21Protocol, isJurassic, ['chat', 'completions']) }
}
