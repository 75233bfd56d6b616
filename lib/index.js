'use strict';

const { start, profile, isRecording } = require('./session');
const { readProfile } = require('./read-profile');

module.exports = { start, profile, isRecording, readProfile };
