import './style.css'
import { render } from 'preact'
import { signInByAddress } from './api.js'
import { App } from './app.js'
import { applyTheme } from './kit/theme.js'

applyTheme()
signInByAddress()
const place = document.getElementById('app')
if (place) render(<App />, place)
