'use strict';

const { start, profile, isRecording } = require('./session');
const { readProfile } = require('./read-profile');
const { block, track, blocks, blockProfiler } = require('./blocks');

module.exports = { start, profile, isRecording, readProfile, block, track, blocks, blockProfiler };
