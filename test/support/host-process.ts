import { type ChildProcess, spawn } from 'node:child_process'

/** A host that runs as a process of its own. */
export interface HostProcess {
  /** Address that it printed after `listening on`. */
  readonly url: string
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Everything that a process printed, and its exit code. */
export interface Finished {
  readonly code: number | null
  readonly output: string
}

type Env = Readonly<Record<string, string>>

function start(file: string, cwd: string, env: Env): { child: ChildProcess; output: () => string } {
  const child = spawn(process.execPath, [file], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (bytes: Buffer) => (output += bytes.toString('utf8')))
  return { child, output: () => output }
}

/** Starts `node file` and resolves once it says where it listens. */
export async function startHost(file: string, cwd: string, env: Env): Promise<HostProcess> {
  const { child, output } = start(file, cwd, env)
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const url = await new Promise<string>((resolve, reject) => {
    const look = (): void => {
      const found = /listening on (http:\S+)/.exec(output())?.[1]
      if (found) resolve(found)
    }
    child.stdout?.on('data', look)
    child.once('exit', (code) => reject(new Error(`exited with ${code} before it listened:\n${output()}`)))
  })
  return {
    url,
    async stop(signal) {
      child.kill(signal)
      await exited
    },
  }
}

/** Runs `node file` to its end. */
export async function runScript(file: string, cwd: string, env: Env): Promise<Finished> {
  const { child, output } = start(file, cwd, env)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, output: output() }
}
