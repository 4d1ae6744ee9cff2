// A headless Chromium for tests of what people look at, where there is one. Loads nothing from any network.
import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

export const browserPath = PLACES.find((path) => path !== undefined && existsSync(path))

if (browserPath === undefined)
  console.warn(
    'SKIPPED: no Chromium found (set CHROMIUM_PATH): the HTML report is not looked at in a browser',
  )

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export interface OpenPage {
  readonly page: Page
  /** What went wrong in it, and what it asked any server for. */
  readonly complaints: string[]
}

export async function openPage(path: string, colorScheme: 'light' | 'dark' = 'light'): Promise<OpenPage> {
  const browser = await chromium.launch({ executablePath: browserPath!, args: ARGS })
  onTestFinished(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme })
  const complaints: string[] = []
  page.on('console', (message) => void complaints.push(message.text()))
  page.on('pageerror', (error) => void complaints.push(error.message))
  page.on('dialog', (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('request', (request) => {
    if (!request.url().startsWith('file:')) complaints.push(request.url())
  })
  await page.goto(`file://${path}`)
  return { page, complaints }
}
