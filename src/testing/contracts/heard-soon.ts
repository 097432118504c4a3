/** Waits until something holds that another process has to hear of first. @throws Error after 5 s */
export async function heardSoon(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    if (await holds()) return
    await new Promise<void>((resolve) => setTimeout(() => resolve(), 10))
  }
  throw new Error('It was not heard within 5 s.')
}
