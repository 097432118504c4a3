import './style.css'
import { render } from 'preact'
import { App } from './app.js'
import { applyTheme } from './kit/theme.js'

applyTheme()
const place = document.getElementById('app')
if (place) render(<App />, place)
