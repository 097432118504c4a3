import { expect, it } from 'vitest'
import { families } from './families.js'
import { modesOf } from './lab.js'

const all = Object.values(families).flat()

it('names each of the 45 cases and the vectors B1 to B8 once', () => {
  const numbers = all.map(({ number }) => String(number))
  const cases = Array.from({ length: 45 }, (_, index) => String(index + 1))
  const vectors = Array.from({ length: 8 }, (_, index) => `B${index + 1}`)
  expect(numbers.toSorted()).toEqual([...cases, ...vectors].toSorted())
})

it('runs each of them whole and as a stream, but for what has no stream', () => {
  const alone = all.filter((one) => modesOf(one).length < 2).map(({ number, noStream }) => [number, noStream])
  expect(alone).toEqual([
    [42, "OpenAI's embeddings API has no stream: all vectors come in one answer"],
    [43, 'images are not streamed here: POST /v1/images/generations refuses `stream` with a 400'],
  ])
})
