'use strict';

const { start, profile, isRecording } = require('./session/session');
const { readProfile } = require('./profile/read-profile');
const blocks = require('./blocks/blocks');
const { registerThread } = require('./session/threads');

module.exports = { start, profile, isRecording, readProfile, registerThread, ...blocks };
