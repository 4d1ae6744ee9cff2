// A bundle of its own, because Node loads it without compiled code from a cache: on Node 20, import() fails in such code.
export const importModule = (url: string): Promise<Record<string, unknown>> => import(url)
