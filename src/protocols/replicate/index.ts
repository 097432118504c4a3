import { readFailure } from '../failure.js'
import type { Protocol } from '../protocol.js'
import { chat } from './chat.js'
import { images } from './images.js'

/** Replicate's predictions: https://replicate.com/docs/reference/http */
export const replicateProtocol: Protocol = { name: 'replicate', codecs: { chat, images }, failure: readFailure }
