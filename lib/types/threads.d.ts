/** Threads that register themselves. */

/** One registration; it belongs to the thread that made it. */
export interface ThreadRegistration {
  /** As asked for; `main` or `worker <threadId>` otherwise. */
  readonly name: string;
  /** false: nothing records, or the recording has no room for the thread (`maxThreads`). */
  readonly isRecorded: boolean;
  /**
   * From now on the calling thread has no samples, until it is registered again: its CPU time is no sample's, and its ticks
   * count as `stats.dropped.not_selected`. A second time it does nothing. To be called on the thread that was registered.
   */
  unregister(): void;
  /** `unregister()`: `using thread = registerThread('parser');` keeps the samples of one scope. */
  [Symbol.dispose](): void;
}

/**
 * Registers the calling thread with the recording that runs, at once and under this name: at most 31 bytes of UTF-8; without one the
 * main thread keeps the program's name, and a worker is `worker <threadId>`.
 *
 * All threads are sampled without it. It is for workers under `start()`, which are not preloaded: without it such a worker is found
 * within some milliseconds, and its JavaScript appears as `(js)` in garbage collections, because V8 announces a collection only to
 * those that have asked on the worker's own thread. Call it in the worker after `start()`, once for each recording. Where nothing
 * records it does nothing (`isRecorded` is false).
 * @throws `ERR_SPPROF_OPTION_TYPE`, `ERR_SPPROF_OPTION_RANGE`, `ERR_SPPROF_NO_BINDING`, `ERR_SPPROF_UNSUPPORTED`
 */
export function registerThread(name?: string): ThreadRegistration;
