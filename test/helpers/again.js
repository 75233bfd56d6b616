'use strict';

/**
 * For all suites (jest.config.js). Much here is measured, on cores that are not ours alone: what fails is told, and run once
 * more, as CTest does; `npm test` lists what passed then. Suites in which that would hide something say `jest.retryTimes(0)`.
 */

jest.retryTimes(1, { logErrorsBeforeRetry: true });
