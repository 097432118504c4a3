export { createFeatures } from './features.js'
export { readHuggingFaceFailure } from './failure.js'
export { createTextToImage } from './images.js'
export { createTgiCompletions, type TgiPath } from './completions.js'
