import { afterAll, beforeAll, describe, it } from 'vitest'
import { type Lab, modesOf, startLab } from './lab.js'
import { families } from './families.js'

let lab: Lab

beforeAll(async () => {
  lab = await startLab()
})

afterAll(() => lab.close())

describe.each(Object.entries(families))('%s', (_, cases) => {
  for (const one of cases) {
    const { number, title } = one
    it.each(modesOf(one))(`${typeof number === 'number' ? 'case ' : ''}${number}: ${title} (%s)`, (how) =>
      one.run(lab, how === 'stream'),
    )
  }
})
