// What is used of picomatch, which comes without types.
declare module 'picomatch' {
  export interface Options {
    readonly nobrace?: boolean
    readonly posix?: boolean
    readonly flags?: string
  }
  export default function picomatch(pattern: string, options?: Options): (text: string) => boolean
}
