import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

const place = new URL('.modules/', import.meta.url)

/** Modules from inside the sources, which the package does not publish: `loadModules(dist, ['router/choose', …])`. */
export async function loadModules(dist, names) {
  const sources = fileURLToPath(new URL('../../src/', pathToFileURL(`${dist}/`)))
  await mkdir(place, { recursive: true })
  const folder = await mkdtemp(fileURLToPath(new URL('run-', place)))
  const bundle = await rolldown({
    input: Object.fromEntries(names.map((name) => [name, `${sources}${name}.ts`])),
    platform: 'node',
    external: (id) => !/^[./]/.test(id),
  })
  try {
    await bundle.write({ dir: folder, format: 'esm' })
    return await Promise.all(names.map((name) => import(pathToFileURL(`${folder}/${name}.js`).href)))
  } finally {
    await bundle.close()
    await rm(folder, { recursive: true, force: true })
  }
}
