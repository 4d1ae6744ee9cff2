// The light and the dark theme: at first the one that the reader's system prefers.

type Theme = 'light' | 'dark'

export function usePreferredTheme(): void {
  setTheme(matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')
}

export function toggleTheme(): void {
  setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark')
}

function setTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme
}
