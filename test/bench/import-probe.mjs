// Imports the package in a fresh process and tells what it touched: node import-probe.mjs <file>
import childProcess from 'node:child_process'
import dns from 'node:dns'
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'
import { pathToFileURL } from 'node:url'

const touched = []

/** Notes the name of every listed function of a module that is called from now on. */
function watch(module, label, names) {
  for (const name of names) {
    const original = module[name]
    if (typeof original !== 'function') continue
    module[name] = function (...values) {
      if (name !== 'open' && name !== 'openSync') touched.push(`${label}.${name}`)
      else if (/[wa+]/.test(String(values[1] ?? 'r'))) touched.push(`${label}.${name}`)
      return Reflect.apply(original, this, values)
    }
  }
}

const writes = ['writeFile', 'appendFile', 'mkdir', 'mkdtemp', 'rm', 'unlink', 'rename', 'open', 'symlink', 'cp']
watch(fs, 'fs', [...writes, ...writes.map((name) => `${name}Sync`), 'createWriteStream'])
watch(fs.promises, 'fs.promises', writes)
watch(net, 'net', ['connect', 'createConnection'])
watch(net.Socket.prototype, 'net.Socket', ['connect'])
watch(net.Server.prototype, 'net.Server', ['listen'])
watch(dns, 'dns', ['lookup', 'resolve', 'resolve4', 'resolve6'])
watch(childProcess, 'child_process', ['spawn', 'spawnSync', 'exec', 'execFile', 'execFileSync', 'fork'])
syncBuiltinESMExports()

await import(pathToFileURL(process.argv[2]))
process.on('exit', () => console.log(JSON.stringify(touched)))
