'use strict';

const { OPTIONS } = require('../../options/options');
const { FORMAT_NAMES } = require('../../exporters/formats');
const { FLAGS } = require('../flags');
const { VERBS, VERB_FLAGS } = require('../arguments');

/** `spprof completion bash`: what a shell needs to complete verbs, flags and their values; from the tables of flags and options. */

/** The values of a flag that has a choice of them. @param {import('../flags').Flag} flag @returns {string[]} */
function valuesOf({ long, option }) {
  if (long === 'format') return FORMAT_NAMES;
  return option === undefined ? [] : [...(OPTIONS[option].choices ?? [])];
}

/** bash, and zsh through its `bashcompinit`. */
function bashCompletion() {
  const record = FLAGS.map(({ long }) => `--${long}`).join(' ');
  const verbs = Object.entries(VERB_FLAGS).map(
    ([verb, names]) => `    ${verb}) flags="${names.map((name) => `--${name}`).join(' ')}" ;;`,
  );
  const values = FLAGS.filter((flag) => valuesOf(flag).length > 0).map((flag) => {
    const names = [`--${flag.long}`, ...(flag.short === undefined ? [] : [`-${flag.short}`])].join('|');
    return `    ${names}) COMPREPLY=($(compgen -W "${valuesOf(flag).join(' ')}" -- "$word")); return ;;`;
  });
  return `# bash completion of spprof; in zsh after: autoload -U bashcompinit && bashcompinit
#   source <(spprof completion bash)
_spprof() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" flags="${record}"
  case "$before" in
${values.join('\n')}
  esac
  case "\${COMP_WORDS[1]}" in
${verbs.join('\n')}
  esac
  if [[ "$word" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  elif (( COMP_CWORD == 1 )); then
    COMPREPLY=($(compgen -W "${VERBS.join(' ')}" -- "$word") $(compgen -f -- "$word") $(compgen -c -- "$word"))
  else
    COMPREPLY=($(compgen -f -- "$word"))
  fi
}
complete -o filenames -F _spprof spprof
`;
}

module.exports = { bashCompletion };
