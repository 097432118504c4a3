// The CommonJS half needs its own package.json, or Node would read its .js files as ES modules.
import { chmodSync, existsSync, writeFileSync } from 'node:fs'

writeFileSync(new URL('../dist/cjs/package.json', import.meta.url), '{"type":"commonjs"}\n')
const cli = new URL('../dist/esm/adapters/cli.js', import.meta.url)
if (existsSync(cli)) chmodSync(cli, 0o755)
