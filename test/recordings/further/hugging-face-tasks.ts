import { isObject } from '../../../src/wire/json.js'
import type { Exchange, IndexEntry } from '../exchange.js'

// Inference of Hugging Face is many tasks at one kind of address; these are not this gateway's.
const otherTasks: Readonly<Record<string, string>> = {
  'huggingface-huggingface-inference-10f44686bec1': 'sentence similarity, which is no embedding',
  'huggingface-huggingface-inference-4886885ae09a': 'sentence similarity, which is no embedding',
  'huggingface-huggingface-inference-5b23d3321415': 'sentence similarity, which is no embedding',
  'huggingface-huggingface-inference-87c78457acae': 'sentence similarity, which is no embedding',
  'huggingface-huggingface-inference-a1af9c75dca6': 'sentence similarity, which is no embedding',
  'huggingface-huggingface-inference-faad219cf5ff': 'sentence similarity, which is no embedding',
  'huggingface-huggingface-inference-da52165fefa8': 'the conversational task, which Hugging Face removed',
  'huggingface-huggingface-inference-e2b2d994dc07': 'a masked word filled in, which is no chat',
}

// Chats in OpenAI's format that were sent to the address of a model.
const chats = [
  'huggingface-huggingface-inference-4296141828bf',
  'huggingface-huggingface-inference-726453bf6f10',
  'huggingface-huggingface-inference-e6256820ee99',
  'huggingface-huggingface-inference-fabefd7ae244',
]

type Task = 'chat' | 'completions' | 'embeddings' | 'images'

/** The operation behind a recorded task, or why there is none. Errors of any task are replayed as text generation. */
export function huggingFaceTask({ id, features }: IndexEntry): { readonly operation: Task } | string {
  const reason = otherTasks[id]
  if (reason !== undefined) return reason
  if (chats.includes(id)) return { operation: 'chat' }
  if (features.includes('images')) return { operation: 'images' }
  return { operation: features.includes('embeddings') ? 'embeddings' : 'completions' }
}

/** True for a request of a task that is not text generation, vectors or pictures, or whose input is not one text. */
export function isOtherTask({ entry, request, response }: Exchange): boolean {
  if (entry.api !== 'huggingface.inference') return false
  const parameters = request?.body['parameters']
  const generates = isObject(parameters) && 'max_new_tokens' in parameters
  if (response.status >= 400 && !generates && request?.body['messages'] === undefined) return true
  return typeof request?.body['inputs'] !== 'string' && request?.body['messages'] === undefined
}
