'use strict';

/** What a run of tests under a sanitizer has said: each case, why it was skipped, and the sanitizer's own reports. */

/** @typedef {{ name: string, result: 'passed' | 'failed' | 'skipped', reason: string }} Case `reason`: of a skip */
/**
 * `shown`: what those have printed that failed or had a report; `problem`: why it did not run.
 * @typedef {{ cases: Case[], reports: string[], shown: string, problem: string | null }} Outcome
 */

/** The first lines of the reports: ASan and LSan, UBSan, TSan, and what valgrind says of memory. */
const REPORTS = [
  /^(?:==\d+==)?\s*(?:ERROR|WARNING): ((?:Address|Leak|Thread|UndefinedBehavior)Sanitizer.*)$/gm,
  /^(\S+:\d+:\d+: runtime error: .*)$/gm,
  /^==\d+== ((?:Invalid|Conditional jump|Use of uninit|Syscall param|Mismatched|Source and dest|Argument ').*)$/gm,
  /^==\d+== ([\d,]+ (?:\([^)]*\) )?bytes in [\d,]+ blocks? (?:is|are) definitely lost.*)$/gm,
];

/** @param {string} output @param {string} where @returns {string[]} each report by name, once */
function reportsIn(output, where) {
  const names = REPORTS.flatMap((pattern) => [...output.matchAll(pattern)].map(([, name]) => name.trim()));
  // Addresses and process ids differ from run to run.
  const plain = names.map((name) => name.replaceAll(/0x[0-9a-f]+/g, '…').replaceAll(/ ?\(pid=\d+\)/g, ''));
  return [...new Set(plain)].map((name) => `${where}: ${name}`);
}

/** Why GoogleTest has skipped. @param {string} output */
function skipReason(output) {
  return /: Skipped\n([^\n]+)/.exec(output)?.[1].trim() ?? 'no reason given';
}

const ENTITIES = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

/** @param {string} text of XML */
function plainText(text) {
  return text.replaceAll(/&(lt|gt|quot|apos|amp);/g, (_, name) => ENTITIES[/** @type {keyof ENTITIES} */ (name)]);
}

/** @param {string} xml CTest's report @returns {Omit<Outcome, 'problem'>} */
function readJunit(xml) {
  /** @type {Case[]} */
  const cases = [];
  /** @type {string[]} */
  const reports = [];
  let shown = '';
  for (const [, head, body] of xml.matchAll(/<testcase ([^>]*)>([\s\S]*?)<\/testcase>/g)) {
    const name = plainText(/\bname="([^"]*)"/.exec(head)?.[1] ?? '');
    const output = plainText(/<system-out>([\s\S]*?)<\/system-out>/.exec(body)?.[1] ?? '');
    const isSkipped = /<skipped|<disabled/.test(body);
    const result = /<failure|<error/.test(body) ? 'failed' : isSkipped ? 'skipped' : 'passed';
    cases.push({ name, result, reason: isSkipped ? skipReason(output) : '' });
    const own = reportsIn(output, name);
    reports.push(...own);
    if (result === 'failed' || own.length > 0) shown += `${name}:\n${output}\n`;
  }
  return { cases, reports, shown };
}

/** @param {string} output of GoogleTest @param {string} program @returns {Omit<Outcome, 'problem'>} */
function readGoogleTest(output, program) {
  /** @type {Case[]} */
  const cases = [];
  for (const [, text, word, name] of output.matchAll(
    /^\[ RUN {6}\] ([\s\S]*?)^\[ {1,7}(OK|FAILED|SKIPPED) {1,2}\] (\S+)/gm,
  )) {
    const result = word === 'OK' ? 'passed' : word === 'FAILED' ? 'failed' : 'skipped';
    cases.push({ name: `${program}.${name}`, result, reason: result === 'skipped' ? skipReason(text) : '' });
  }
  const reports = reportsIn(output, program);
  const isSilent = reports.length === 0 && cases.every(({ result }) => result !== 'failed');
  return { cases, reports, shown: isSilent ? '' : output };
}

module.exports = { readJunit, readGoogleTest };
