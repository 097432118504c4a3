export { createTextCodec } from './text.js'
export { textBodies } from './text-bodies.js'
export { createEmbeddingCodec } from './embeddings.js'
export { createImageCodec } from './images.js'
