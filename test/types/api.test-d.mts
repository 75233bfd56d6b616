/** The public API's types, as an ES module sees them. */

import spprof, { type Profile, readProfile, start } from 'spprof';

const profile: Profile = await start({ intervalUs: 1000 }).stop();
const same: Profile = await spprof.start().stop();
const read: Profile = await readProfile('a.spprof');
console.log(profile.cpuNs, same.sampleCount, read.pid);
