// A headless Chromium, if one is installed. Loads nothing from any network.
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { onTestFinished } from 'vitest'

const PATHS = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

export const browserPath = PATHS.find((path) => path !== undefined && existsSync(path))

if (browserPath === undefined)
  console.warn('SKIPPED: no Chromium found (set CHROMIUM_PATH): the HTML report is not tested in a browser')

const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

interface OpenPage {
  readonly page: Page
  /** Errors, dialogs and console output of the page, and its requests to any server. */
  readonly complaints: string[]
}

/** All pages of a file are opened in one. */
let browser: Promise<Browser> | undefined

/** Call it when the tests of a file have ended. */
export async function closeBrowser(): Promise<void> {
  const opened = await browser
  browser = undefined
  await opened?.close()
}

export async function openPage(path: string, colorScheme: 'light' | 'dark' = 'light'): Promise<OpenPage> {
  browser ??= chromium.launch({ executablePath: browserPath!, args: ARGS })
  // In a context of its own.
  const page = await (await browser).newPage({ viewport: { width: 1280, height: 900 }, colorScheme })
  onTestFinished(() => page.close())
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
