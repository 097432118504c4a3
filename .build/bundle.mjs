// Writes the package's JavaScript: a few files per format instead of one per source file, since the number of files is
// what loading takes. Entries share their parts, so that a class is the same one whichever entry gave it.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'

const root = new URL('../', import.meta.url)
const { exports: published, bin } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))

/** `{ 'src/index': 'src/index.ts', … }` after what package.json publishes. */
function entriesOf() {
  const files = Object.values(published).flatMap((entry) => entry.import?.default ?? [])
  const names = [...files, ...Object.values(bin)].map((file) => file.replace(/^\.\/dist\/esm\/|\.js$/g, ''))
  return Object.fromEntries(names.map((name) => [name, `${name}.ts`]))
}

const bundle = await rolldown({
  cwd: fileURLToPath(root),
  input: entriesOf(),
  platform: 'node',
  external: (id) => !/^[./]/.test(id),
  tsconfig: false,
  treeshake: { moduleSideEffects: false },
})
for (const format of ['esm', 'cjs']) {
  await bundle.write({
    dir: fileURLToPath(new URL(`dist/${format}`, root)),
    format,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    sourcemap: true,
    minify: false,
    comments: true,
  })
}
await bundle.close()
