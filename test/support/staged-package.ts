import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The package's own description of itself. */
export const manifest: {
  readonly dependencies: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, unknown>>
} = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The package as it would be published, built from the current sources in a folder of its own. */
export interface StagedPackage {
  /** Holds `dist`. */
  readonly built: string
  /** Installs the tarball with npm into a new folder; its dependencies and `packages` (name → our copy) are linked, so no network is needed. */
  install(host: string, type: 'commonjs' | 'module', packages: Readonly<Record<string, string>>): string
  remove(): void
}

/** Builds and packs the package. */
export function stagePackage(): StagedPackage {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-package-'))
  const built = join(folder, 'package')
  mkdirSync(built)
  for (const name of [
    'package.json',
    'tsconfig.json',
    '.build',
    'src',
    'adapters',
    'README.md',
    'CHANGELOG.md',
    'LICENSE',
  ]) {
    cpSync(join(root, name), join(built, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(built, 'node_modules'))
  const npm = (cwd: string, ...flags: string[]): string =>
    execFileSync('npm', flags, { cwd, stdio: 'pipe' }).toString().trim()
  npm(built, 'run', '--silent', 'build')
  const tarball = join(folder, npm(built, 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder))
  return {
    built,
    install(host, type, packages) {
      const place = join(folder, host)
      mkdirSync(place)
      const linked = (name: string): string => `file:${join(root, 'node_modules', name)}`
      const dependencies = {
        sluice: `file:${tarball}`,
        ...Object.fromEntries(Object.keys(manifest.dependencies).map((name) => [name, linked(name)])),
        ...Object.fromEntries(Object.entries(packages).map(([name, copy]) => [name, linked(copy)])),
      }
      writeFileSync(join(place, 'package.json'), JSON.stringify({ name: 'host', private: true, type, dependencies }))
      const flags = ['--offline', '--ignore-scripts', '--no-audit', '--no-fund', '--silent']
      npm(place, 'install', ...flags, '--cache', join(folder, `cache-${host}`))
      return place
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
