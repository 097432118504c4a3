export { type CompiledSources, compileSources } from './compile-sources.mjs'
