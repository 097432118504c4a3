import { InvalidRequestError } from '../errors.js'
import type { ImageResponse } from '../wire/images.js'
import { parseDataUrl } from './data-url.js'

const ratios = ['1:1', '16:9', '9:16', '21:9', '9:21', '3:2', '2:3', '4:5', '5:4', '4:3', '3:4']

// The sizes of OpenAI's older image models, whose exact ratio (7:4) nobody offers.
const nearRatios: Readonly<Record<string, string>> = { '1792x1024': '16:9', '1024x1792': '9:16' }

/** `{ width, height }` of OpenAI's `size`; nothing for `auto`. @throws InvalidRequestError for any other text */
export function pixelsOf(size: unknown): { readonly width?: number; readonly height?: number } {
  if (size === 'auto') return {}
  const match = typeof size === 'string' ? /^(\d{1,5})x(\d{1,5})$/.exec(size) : null
  if (!match) throw new InvalidRequestError('size must be auto or like 1024x1024.', 'size')
  return { width: Number(match[1]), height: Number(match[2]) }
}

/** `{ aspect_ratio }` of OpenAI's `size`, which may also be a ratio itself. @throws InvalidRequestError for a size without one */
export function ratioOf(size: unknown): { readonly aspect_ratio?: string } {
  if (size === 'auto') return {}
  if (typeof size === 'string' && ratios.includes(size)) return { aspect_ratio: size }
  if (typeof size === 'string' && Object.hasOwn(nearRatios, size)) return { aspect_ratio: nearRatios[size] ?? '1:1' }
  const { width = 0, height = 0 } = pixelsOf(size)
  const ratio = ratios.find((candidate) => {
    const [across = 0, down = 0] = candidate.split(':').map(Number)
    return width * down === height * across
  })
  if (ratio === undefined || width === 0) {
    throw new InvalidRequestError(`size must be auto or have one of the ratios ${ratios.join(', ')}.`, 'size')
  }
  return { aspect_ratio: ratio }
}

/** An image by address, or, where it came as a data URL, by its bytes. */
export function imageOf(url: string): ImageResponse['data'][number] {
  const data = parseDataUrl(url)
  return data ? { b64_json: data.base64 } : { url }
}
