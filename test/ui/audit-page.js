// Runs in the page: what keeps people out who cannot see well, or have no mouse. Gives one line per problem.
;(() => {
  const problems = []
  const isShown = (element) => element.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true })
  const tell = (element, what) => problems.push(`${what}: ${element.outerHTML.slice(0, 140)}`)

  const nameOf = (element) => {
    const labelled = (element.getAttribute('aria-labelledby') ?? '')
      .split(' ')
      .map((id) => document.getElementById(id)?.textContent)
    const labels = [...(element.labels ?? [])].map((label) => label.textContent)
    return [
      ...labelled,
      element.getAttribute('aria-label'),
      ...labels,
      element.textContent,
      element.getAttribute('alt'),
    ]
      .join('')
      .trim()
  }
  for (const element of document.querySelectorAll(
    'a, button, input, select, textarea, summary, dialog, [role=region], [role=meter]',
  )) {
    if (isShown(element) && nameOf(element) === '') tell(element, 'has no name')
  }
  // What is typed into a field is not its name.
  for (const element of document.querySelectorAll('input, select, textarea')) {
    if (isShown(element) && element.labels.length === 0 && !element.hasAttribute('aria-label'))
      tell(element, 'has no label')
  }
  for (const image of document.querySelectorAll('img')) if (!image.hasAttribute('alt')) tell(image, 'has no alt')
  for (const element of document.querySelectorAll('[tabindex]'))
    if (element.tabIndex > 0) tell(element, 'changes the order of the focus')
  for (const name of ['aria-labelledby', 'aria-describedby', 'list', 'for']) {
    for (const element of document.querySelectorAll(`[${name}]`)) {
      for (const id of element.getAttribute(name).split(' '))
        if (!document.getElementById(id)) tell(element, `${name} leads nowhere`)
    }
  }
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id)
  for (const id of new Set(ids.filter((id, at) => ids.indexOf(id) !== at))) problems.push(`id is not unique: ${id}`)
  if (document.documentElement.lang === '') problems.push('the page has no language')
  if (document.querySelectorAll('h1').length !== 1) problems.push(`${document.querySelectorAll('h1').length} h1`)
  for (const table of document.querySelectorAll('table:not(.u-legend)')) {
    for (const cell of table.querySelectorAll('th')) if (!cell.hasAttribute('scope')) tell(cell, 'is a head of nothing')
  }
  if (document.documentElement.scrollWidth > innerWidth)
    problems.push(`${document.documentElement.scrollWidth} px wide on ${innerWidth}`)

  const toColor = (text) => {
    const [r = 0, g = 0, b = 0, a = 1] = (text.match(/[\d.]+/g) ?? []).map(Number)
    return { r, g, b, a }
  }
  const over = (top, below) => ({
    r: top.r * top.a + below.r * (1 - top.a),
    g: top.g * top.a + below.g * (1 - top.a),
    b: top.b * top.a + below.b * (1 - top.a),
    a: 1,
  })
  const backgroundOf = (element) => {
    const chain = []
    for (let at = element; at; at = at.parentElement) chain.push(toColor(getComputedStyle(at).backgroundColor))
    return chain.reduceRight((below, top) => over(top, below), { r: 255, g: 255, b: 255, a: 1 })
  }
  const luminance = ({ r, g, b }) => {
    const [x, y, z] = [r, g, b].map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4,
    )
    return 0.2126 * x + 0.7152 * y + 0.0722 * z
  }
  const contrast = (a, b) => {
    const [light, dark] = [luminance(a), luminance(b)].toSorted((x, y) => y - x)
    return (light + 0.05) / (dark + 0.05)
  }
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement
    if (
      node.textContent.trim() === '' ||
      !element ||
      !isShown(element) ||
      element.closest(':disabled, .visually-hidden, noscript')
    )
      continue
    const style = getComputedStyle(element)
    const background = backgroundOf(element)
    const ratio = contrast(over(toColor(style.color), background), background)
    const isLarge =
      parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700)
    if (ratio < (isLarge ? 3 : 4.5)) tell(element, `contrast ${ratio.toFixed(2)}`)
  }
  return problems
})()
