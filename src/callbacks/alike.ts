/**
 * Groups what is alike, each in the order of its first. Whatever is told of labels is told once for all that have the same,
 * as most calls of a moment do; for the few kinds that there are, comparing is cheaper than making keys.
 */
export function groupAlike<Item>(
  items: readonly Item[],
  isAlike: (left: Item, right: Item) => boolean,
): readonly (readonly [Item, ...Item[]])[] {
  const groups: [Item, ...Item[]][] = []
  for (const item of items) {
    const group = groups.find(([first]) => isAlike(first, item))
    if (group) group.push(item)
    else groups.push([item])
  }
  return groups
}
