/** Providers whose dialect Sluice does not speak yet: every prefix of theirs, and the name a refusal gives. */
export const unbuiltProviders: Readonly<Record<string, string>> = {}
