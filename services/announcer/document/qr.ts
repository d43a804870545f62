import { html, type Html } from '@hub/runtime/page'
import qrcode from 'qrcode-generator'

/** Modules of white that scanners need around a code (ISO/IEC 18004). */
const QUIET = 4

/** A QR code as SVG, error correction M. @param address ASCII, up to 2 331 characters */
export function qr(address: string): Html {
  const code = qrcode(0, 'M')
  code.addData(address, 'Byte')
  code.make()
  const size = code.getModuleCount()
  let path = ''
  for (let row = 0; row < size; row++) for (let column = 0; column < size; column++) if (code.isDark(row, column)) path += `M${column + QUIET} ${row + QUIET}h1v1h-1z`
  const side = size + 2 * QUIET
  return html`<svg class="qr" role="img" aria-label="核验地址的二维码" viewBox="0 0 ${side} ${side}" shape-rendering="crispEdges" xmlns="http://www.w3.org/2000/svg"><rect width="${side}" height="${side}" fill="#fff"/><path d="${path}"/></svg>`
}
