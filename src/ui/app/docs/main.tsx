import '../style.css'
import './docs.css'
import { render } from 'preact'
import { applyTheme } from '../kit/theme.js'
import { Docs } from './docs.js'

applyTheme()
const place = document.getElementById('app')
if (place) render(<Docs />, place)
