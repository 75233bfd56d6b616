/** What the page uses of d3-flame-graph, which has no types of its own. */
declare module 'd3-flame-graph' {
  /** A frame as d3 lays it out. */
  interface Frame {
    data: import('./tree.mjs').TreeNode;
  }
  interface Chart {
    (selection: unknown): void;
    cellHeight(pixels: number): Chart;
    width(pixels: number): Chart;
    minFrameSize(pixels: number): Chart;
    transitionDuration(ms: number): Chart;
    resetHeightOnZoom(isReset: boolean): Chart;
    sort(isSorted: boolean): Chart;
    inverted(isInverted: boolean): Chart;
    setColorMapper(map: (frame: Frame) => string): Chart;
    setLabelHandler(label: (frame: Frame) => string): Chart;
    setDetailsHandler(show: (details: string | null) => void): Chart;
    onClick(listener: (frame: Frame) => void): Chart;
    update(data: unknown): void;
  }
  export default function flamegraph(): Chart;
}
