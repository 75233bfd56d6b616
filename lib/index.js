'use strict';

const { start, isRecording } = require('./session');
const { readProfile } = require('./read-profile');

module.exports = { start, isRecording, readProfile };
