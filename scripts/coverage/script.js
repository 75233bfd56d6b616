'use strict';

/**
 * The lines of lib/: in Jest's own process by its V8 provider, in the commands, programs and workers that the tests start
 * by NODE_V8_COVERAGE. Runs in a copy of the tree, whose addon is the one with counters.
 */

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { ROOT, projectFiles, run } = require('../tools');
const { readIstanbul } = require('./lines');

/** @param {string} addon to be used @returns {string} the copy's folder */
function copyTree(addon) {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'spprof-coverage-')));
  for (const file of projectFiles()) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.copyFileSync(path.join(ROOT, file), path.join(folder, file));
  }
  for (const name of ['node_modules', '.git']) fs.symlinkSync(path.join(ROOT, name), path.join(folder, name));
  for (const name of ['lib/page/dist']) {
    if (fs.existsSync(path.join(ROOT, name)))
      fs.cpSync(path.join(ROOT, name), path.join(folder, name), { recursive: true });
  }
  fs.mkdirSync(path.join(folder, 'build', 'Release'), { recursive: true });
  fs.copyFileSync(addon, path.join(folder, 'build', 'Release', 'spprof.node'));
  return folder;
}

/** What V8 has counted in processes of their own. @param {string} folder @param {string} raw @param {string} target */
async function mapOfProcesses(folder, raw, target) {
  // What Jest loads for its tests stands under a plain path, behind a wrapper: Jest itself counts that.
  for (const name of fs.readdirSync(raw)) {
    const file = path.join(raw, name);
    const report = JSON.parse(fs.readFileSync(file, 'utf8'));
    const prefix = `file://${folder}/lib/`;
    report.result = report.result.filter((/** @type {{ url: string }} */ { url }) => url.startsWith(prefix));
    if (report.result.length === 0) fs.rmSync(file);
    else fs.writeFileSync(file, JSON.stringify({ result: report.result }));
  }
  const { Report } = require('c8');
  const report = new Report({
    ...{ include: ['lib/**'], exclude: ['lib/page/**'], excludeNodeModules: true, extension: ['.js', '.mjs'] },
    ...{
      reporter: ['json'],
      reportsDirectory: target,
      tempDirectory: raw,
      resolve: '',
      omitRelative: true,
      allowExternal: true,
      src: [folder],
    },
  });
  await report.run();
  return JSON.parse(fs.readFileSync(path.join(target, 'coverage-final.json'), 'utf8'));
}

/**
 * @param {string} folder the copy
 * @param {string[]} suites for Jest; empty: all
 * @param {NodeJS.ProcessEnv} env
 * @returns {Promise<{ status: number, own: import('./lines').Lines, processes: import('./lines').Lines }>}
 */
async function runJest(folder, suites, env) {
  const [raw, target, ofProcesses] = ['raw', 'jest', 'processes'].map((name) => path.join(folder, 'coverage', name));
  fs.mkdirSync(raw, { recursive: true });
  const status = run(
    path.join(ROOT, 'node_modules', '.bin', 'jest'),
    [
      ...['--coverage', '--coverageProvider=v8', '--coverageReporters=json', `--coverageDirectory=${target}`],
      ...['--collectCoverageFrom=lib/**/*.js', '--collectCoverageFrom=!lib/page/**', ...suites],
    ],
    { cwd: folder, env: { ...env, NODE_V8_COVERAGE: raw } },
  );
  const file = path.join(target, 'coverage-final.json');
  const own = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
  return {
    status,
    own: readIstanbul(own, folder),
    processes: readIstanbul(await mapOfProcesses(folder, raw, ofProcesses), folder),
  };
}

module.exports = { copyTree, runJest };
