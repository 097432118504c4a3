/** Written by `.build/vite-ui.mjs`; `imports` of package.json says where it lies. */
declare module '#ui-assets' {
  /** Every file of the page and of the docs. */
  export const assets: readonly {
    /** As in `/assets/index-D3k.js`, below wherever it is served. */
    readonly path: string
    readonly type: string
    /** Entity tag, with its quotes. */
    readonly tag: string
    readonly text: string
  }[]
}
