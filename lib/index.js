'use strict';

const { start, profile, isRecording } = require('./session');
const { readProfile } = require('./read-profile');
const blocks = require('./blocks');
const { registerThread } = require('./threads');

module.exports = { start, profile, isRecording, readProfile, registerThread, ...blocks };
