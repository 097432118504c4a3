import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** In a child: answers the questions of its parent, each by the function of that name. */
export function answerParent(answers) {
  process.on('message', ({ question, argument }) => {
    process.send({ question, answer: answers[question](argument) })
  })
  process.on('disconnect', () => process.exit())
}

/** Starts a script of this folder as a process of its own and waits until it listens. */
export async function startChild(script, args = [], nodeFlags = []) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args, {
    execArgv: nodeFlags,
    env: { ...process.env, NODE_ENV: 'production' },
    serialization: 'advanced',
  })
  const exited = new Promise((resolve) => child.once('exit', resolve))
  const failed = exited.then((code) => {
    throw new Error(`${script} ${args.join(' ')} ended with code ${code}`)
  })
  failed.catch(() => undefined)
  const [{ ready: port }] = await Promise.race([nextMessage(child), failed])
  return {
    port,
    /** Asks the child and gives its answer; questions are asked one after another. */
    async ask(question, argument) {
      const answered = nextMessage(child)
      child.send({ question, argument })
      const [{ answer }] = await Promise.race([answered, failed])
      return answer
    },
    async stop() {
      child.disconnect()
      await exited
    },
  }
}

function nextMessage(child) {
  return new Promise((resolve) => child.once('message', (...message) => resolve(message)))
}
