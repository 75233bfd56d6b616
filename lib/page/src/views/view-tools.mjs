/**
 * What views are given besides the state.
 *
 * @typedef {object} Tools
 * @property {import('../parts/colors.mjs').Palette} palette
 * @property {(text: string | null, event: MouseEvent) => void} hover says what is under the mouse; null: nothing
 *
 * @typedef {object} View one tab
 * @property {() => void} draw
 * @property {(key: string) => boolean} press whether the key has a meaning here
 */

export {};
