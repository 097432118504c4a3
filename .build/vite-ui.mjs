// Builds the admin page and the API docs into one module that holds their files as text: both halves of the package find
// it by the same name, nothing is read from disk at run time, and a bundler of a host takes it along.
import { createHash } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const app = new URL('../src/ui/app/', import.meta.url)
const target = new URL('../dist/ui/', import.meta.url)

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
}

/** The files of one page, by the path that they are served at. */
async function filesOf(folder, prefix) {
  const { output } = await build({
    configFile: false,
    root: fileURLToPath(new URL(folder, app)),
    base: './',
    logLevel: 'warn',
    build: { write: false, target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0 },
  })
  return output.map((file) => toAsset(`${prefix}${file.fileName}`, file.type === 'chunk' ? file.code : file.source))
}

function toAsset(path, content) {
  const text = typeof content === 'string' ? content : Buffer.from(content).toString('utf8')
  const type = types[path.slice(path.lastIndexOf('.') + 1)]
  if (type === undefined) throw new Error(`No media type is known for ${path}.`)
  const tag = `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"`
  return { path, type, tag, text }
}

const assets = [...(await filesOf('.', '/')), ...(await filesOf('docs/', '/docs/'))]
mkdirSync(target, { recursive: true })
// In one step, as tests of several files build and read it at once.
const draft = new URL(`assets.${process.pid}.tmp`, target)
writeFileSync(draft, `exports.assets = ${JSON.stringify(assets)}\n`)
renameSync(draft, new URL('assets.cjs', target))
