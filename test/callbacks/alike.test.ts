import fc from 'fast-check'
import { expect, it } from 'vitest'
import { groupAlike } from '../../src/callbacks/alike.js'

it('groups keep every item once, in its order, with those alike and no others', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5)), (kinds) => {
      const items = kinds.map((kind, position) => ({ kind, position }))
      const groups = groupAlike(items, (left, right) => left.kind === right.kind)
      expect(groups.map(([first]) => first.kind)).toEqual([...new Set(kinds)])
      for (const group of groups) expect(group).toEqual(items.filter(({ kind }) => kind === group[0].kind))
    }),
  )
})
