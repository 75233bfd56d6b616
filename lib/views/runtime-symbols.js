'use strict';

/**
 * What the program view knows of the runtime: symbols of Node.js, libuv and V8 by which it recognises why a thread ran, what a
 * piece of the runtime was doing, and where the runtime ends and a library begins. Names are short ones (`shortNativeName`:
 * no parameters, no template arguments). They hold on Node 18, 20, 22, 24 and 26; `test/fixtures/views` has recorded stacks of each.
 *
 * @typedef {'(main script)' | '(worker script)' | '(timers)' | '(microtasks)' | '(I/O)' | '(immediates)' | '(libuv pool)' | '(V8 helper)' | '(native thread)'} Reason
 */

/** Becomes `(main script)` or `(worker script)`. */
const SCRIPT = /** @type {const} */ ('script');

/**
 * Why a thread ran, by functions below its JavaScript; the one nearest to the JavaScript decides.
 * @type {readonly [pattern: RegExp, reason: Reason | typeof SCRIPT][]}
 */
const REASONS = [
  // src/api/environment.cc: the embedder's entry; it runs the bootstrap scripts and then the program's own.
  [/^node::(LoadEnvironment|StartExecution|CreateEnvironment|NodeMainInstance::Run|InitializeOncePerProcess)$/, SCRIPT],
  // src/env.cc, src/node_realm.cc: bootstrap without a snapshot.
  [/^node::(Environment|Realm|PrincipalRealm)::(RunBootstrapping|Bootstrap\w+|ExecuteBootstrapper)$/, SCRIPT],
  // src/node_worker.cc: a worker's thread, before its loop runs.
  [/^node::worker::Worker::Run$/, SCRIPT],
  // src/module_wrap.cc, src/node_contextify.cc as the loader calls it: a module's body.
  [/^node::loader::ModuleWrap::(Evaluate|Instantiate\w*|Run\w*)$/, SCRIPT],
  // deps/uv/src/unix/core.c: the phases of uv_run.
  [/^uv__run_timers$/, '(timers)'],
  [/^uv__(io_poll|run_pending|run_idle|run_prepare|run_closing_handles|run_closing|update_time)$/, '(I/O)'],
  [/^uv__run_check$/, '(immediates)'],
  // Where the loop itself is on top, it is about to poll.
  [/^(node::SpinEventLoop(Internal|WithoutCleanup)?|uv_run)$/, '(I/O)'],
  // src/env.cc: the callbacks that Node.js gives to libuv.
  [/^node::Environment::RunTimers$/, '(timers)'],
  [/^node::Environment::(CheckImmediate|RunAndClearNativeImmediates)$/, '(immediates)'],
  // src/api/callback.cc: the end of a callback drains process.nextTick() and the microtasks.
  [/^node::InternalCallbackScope::(Close|~InternalCallbackScope)$/, '(microtasks)'],
  // src/execution/microtask-queue.cc, and the builtin that it calls.
  [/^v8::internal::MicrotaskQueue::(RunMicrotasks|PerformCheckpoint\w*)$/, '(microtasks)'],
  [/^RunMicrotasks$/, '(microtasks)'],
];

/** The same for threads without JavaScript; the one nearest to the thread's first function decides. @type {readonly [RegExp, Reason][]} */
const NATIVE_REASONS = [
  // deps/uv/src/threadpool.c: the function of a pool thread.
  [/^worker$/, '(libuv pool)'],
  // src/node_platform.cc: threads of V8's platform, which collect garbage and compile.
  [/^node::(\{anonymous\}::)?(PlatformWorkerThread|DelayedTaskScheduler|WorkerThreadsTaskRunner)\b/, '(V8 helper)'],
];

/**
 * Node.js's own JavaScript that does nothing but start the program's: it belongs to why the program ran. In order of their URL;
 * the second is the reason where the frame itself decides it.
 * @type {readonly [pattern: RegExp, reason: Reason | typeof SCRIPT | null][]}
 */
const STARTERS = [
  [/^node:internal\/main\//, SCRIPT],
  [/^node:internal\/(modules|bootstrap|per_context)\//, SCRIPT],
  [/^node:(vm|internal\/vm|internal\/vm\/module)$/, null],
  // What --eval, --print and workers of a text wrap around it.
  [/^\[[\w ]+\]-wrapper$/, SCRIPT],
  // Messages, signals and aborts arrive as events.
  [/^node:internal\/event_target$/, null],
  [/^node:internal\/process\/(task_queues|promises)$/, '(microtasks)'],
  [/^node:internal\/process\/(execution|pre_execution|per_thread)$/, SCRIPT],
  [/^node:internal\/timers$/, null],
  [
    /^node:(internal\/async_hooks|internal\/async_context_frame|internal\/async_local_storage\/.*|async_hooks|diagnostics_channel)$/,
    null,
  ],
];

/** Garbage collection, on the thread that needs memory and on V8's helpers; cppgc is the collector of C++ objects. */
const COLLECTION = [
  /^v8::internal::Heap::(CollectGarbage\w*|CollectAllGarbage|PerformGarbageCollection|Scavenge|MarkCompact|HandleGCRequest|StartIncrementalMarking\w*|ReportExternalMemoryPressure)$/,
  /^v8::internal::(\{anonymous\}::)?(Scaveng|MarkCompact|MinorMark|MinorMS|MarkingVisitor|MarkingBarrier|ConcurrentMark|IncrementalMarking|Sweeper|ArrayBufferSweeper|Evacuat|PageEvacuat|PointersUpdat|YoungGeneration|MainMarking|ClearStringTable|ClearTrivial|ClearFull|ParallelClearing|WeakCollection|StringForwarding|ScheduleMinorGC|LocalHeap::(Park|Safepoint|SleepIn)|CollectionBarrier|GlobalSafepoint|MemoryReducer|GCTracer|HeapVisitor|UnifiedHeap|CppHeap)/,
  /^(v8::internal|cppgc|heap::base)::.*(Marking|Sweep|Scaveng|Evacuat|Compact)\w*(Job|Task|Visitor|Collector|Worklist)?\w*::(Run|RunInternal|Visit|Process|Step|Advance)/,
  /^cppgc::internal::(Marker|Sweeper|Sweeping|Heap::(CollectGarbage|StartIncrementalGarbageCollection|FinalizeGarbageCollection)|ConcurrentMark|Compactor|MutatorMarking)/,
  /^PushAllRegistersAndIterateStack$/,
];

/** Source text to syntax trees. */
const PARSING = [
  /^v8::internal::parsing::/,
  /^v8::internal::(Parser|PreParser|ParserBase|Scanner|AstValueFactory|ParseInfo|BackgroundCompileTask::Run|Rewriter|DeclarationScope|Utf8ExternalStreaming\w*|Utf16CharacterStream|BufferedCharacterStream)(::|$)/,
];

/** Syntax trees, bytecode and WebAssembly to code, of every tier; reading code from a cache too. */
const COMPILATION = [
  /^v8::internal::Compiler::/,
  /^v8::internal::(\{anonymous\}::)?(CompileUnoptimized\w*|CompileOptimized\w*|CompileTurbofan\w*|CompileMaglev|CompileToplevel|CompileAllWithBaseline|FinalizeUnoptimized\w*|GetOrCompileOptimized|ExecuteSingleUnoptimizedCompilationJob|IterativelyExecute\w*|ConcurrentBaselineCompiler|BatchBaselineCompiler)\b/,
  /^v8::internal::(compiler|maglev|turboshaft|interpreter::Bytecode|interpreter::Interpreter(CompilationJob)?::|baseline|OptimizedCompilationJob|OptimizingCompile\w*|UnoptimizedCompilationJob|TurbofanCompilationJob|LazyCompileDispatcher|CodeSerializer|BaselineBatchCompiler|ConcurrentBaselineCompiler|OffThreadDeserialize|ConsumeCodeCacheTask)/,
  /^v8::internal::Runtime_(CompileLazy|CompileBaseline|CompileOptimized\w*|InstallBaselineCode|InstantiateAsmJs)$/,
  /^v8::internal::wasm::(\{anonymous\}::)?(ExecuteCompilationUnits|BackgroundCompileJob|ExecuteLiftoff\w*|ExecuteTurbofan\w*|LiftoffCompiler|WasmFullDecoder|WasmCompilationUnit|CompileNativeModule|CompileToNativeModule|CompileLazy|AsyncCompileJob|NativeModule::(AddCompiledCode|PublishCode)|WasmEngine::(SyncCompile|AsyncCompile)|CompilationStateImpl|ModuleDecoder\w*|ValidateFunctions)/,
  /^v8::ScriptCompiler::/,
  /^CompileLazy$/,
];

/**
 * Libraries inside the executable of Node.js, by the beginning of their public functions. Their code is C; that of Node.js
 * and V8 is C++ in namespaces. The names in front are what the report calls them.
 * @type {readonly [library: string, pattern: RegExp][]}
 */
const BUNDLED = [
  ['zlib', /^(Cr_z_)?(deflate|inflate|crc32|adler32|compress|uncompress|zlib|longest_match|fill_window)/],
  ['brotli', /^(Brotli|Duplicate|CreateBackwardReferences|StoreMetaBlock)/],
  ['zstd', /^(ZSTD|HUF|FSE|HIST|ZDICT)_/],
  ['SQLite', /^sqlite3/],
  ['nghttp2', /^nghttp2_/],
  ['c-ares', /^ares_/],
  ['ngtcp2', /^(ngtcp2|nghttp3)_/],
];
/** What is left of C in the executable, when Node.js's crypto calls it. */
const OTHER_BUNDLED = 'OpenSSL';

/** C functions of the executable that belong to the runtime: its own, those of its C library's stubs, of ICU (`_78`) and of Abseil. */
const RUNTIME_C =
  /^(_start|main|worker|uv_|uv__|llhttp|napi_|node_api_|node_module_register|__|_Z|_init|_fini|operator |start_thread|clone3?|PushAllRegisters|GLOBAL__|_GLOBAL_|Absl|(floor|ceil|trunc|round|strlen|mem\w+)$)|@plt$|_\d\d$/;

/** What node-addon-api and nan put between V8 and the function of an addon. */
const WRAPPERS = /^(Napi|Nan)::/;

/** Functions of the C library that a program's author knows, though they are no system calls. */
const C_FUNCTIONS =
  /^_*(getaddrinfo|getnameinfo|gethostbyname\w*|dlopen\w*|realpath|scandir\d*|mkdtemp\w*|mkstemp\w*|getpw\w+|getgr\w+|posix_spawn\w*)$/;

module.exports = {
  ...{
    SCRIPT,
    REASONS,
    NATIVE_REASONS,
    STARTERS,
    COLLECTION,
    PARSING,
    COMPILATION,
    BUNDLED,
    OTHER_BUNDLED,
    RUNTIME_C,
    WRAPPERS,
    C_FUNCTIONS,
  },
};
