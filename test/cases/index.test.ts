import { expect, it } from 'vitest'
import { families } from './families.js'

it('names each of the 45 cases and the vectors B1 to B8 once', () => {
  const numbers = Object.values(families).flatMap((cases) => cases.map(({ number }) => String(number)))
  const cases = Array.from({ length: 45 }, (_, index) => String(index + 1))
  const vectors = Array.from({ length: 8 }, (_, index) => `B${index + 1}`)
  expect(numbers.toSorted()).toEqual([...cases, ...vectors].toSorted())
})
