'use strict';

/** Preload: records the main thread with @datadog/pprof, and writes its profile to `$PEER_OUTPUT` at the end. */

const fs = require('node:fs');
const { encodeSync, time } = require('@datadog/pprof');

time.start({ intervalMicros: Number(process.env.PEER_INTERVAL_US) });
// In its own exit listener it has stopped already.
process.once('beforeExit', () => fs.writeFileSync(String(process.env.PEER_OUTPUT), encodeSync(time.stop())));
