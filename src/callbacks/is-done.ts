/** Does work that may throw, whose fault costs no other; false where it did. */
export function isDone(work: () => void): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}
