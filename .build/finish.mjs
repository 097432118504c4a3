// The CommonJS half has the same types, and needs its own package.json, or Node would read its .js files as ES modules.
import { chmodSync, cpSync, existsSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = (format) => fileURLToPath(new URL(`../dist/${format}`, import.meta.url))
const isTypes = (path) => !/\.[a-z]+$/.test(path) || path.endsWith('.d.ts')

cpSync(folder('esm'), folder('cjs'), { recursive: true, filter: isTypes })
writeFileSync(`${folder('cjs')}/package.json`, '{"type":"commonjs"}\n')
const cli = `${folder('esm')}/adapters/cli.js`
if (existsSync(cli)) chmodSync(cli, 0o755)
