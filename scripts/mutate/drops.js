'use strict';

/** Mutations of the reasons why a signal gives no sample (stats.dropped): each is not counted, or as another. */

const HANDLER = 'native/signal_safe/handler/handler.cc';

/**
 * @param {string} reason
 * @param {string} find
 * @param {string} replace
 * @param {string} cases
 * @param {string} [test]
 */
function drop(reason, find, replace, cases, test = 'handler_test') {
  const what = `${reason} is not counted, or as another reason`;
  return { name: `drop-${reason}`, what, file: HANDLER, find, replace, test, cases };
}

const BLOCKED = 'is_busy ? DropReason::kBusy : DropReason::kSignalsBlocked';
const FULL = 'record.stack_id == 0 ? DropReason::kDetailFull : DropReason::kIndexFull';

/** @type {import('./mutations').Mutation[]} */
const DROPS = [
  drop(
    'not_accepting',
    'AddOwned(lanes->counters.signals, 1);\n    Drop(lanes, DropReason::kNotAccepting);\n    return;',
    'return;',
    'Handler.CountsWhatComesWhileNotAccepting',
  ),
  drop(
    'not_accepting-after-the-walk',
    'if (!IsAccepting(*context)) {\n      Drop(lanes, DropReason::kNotAccepting);',
    'if (!IsAccepting(*context)) {',
    'Handler.*WhileItIsTaken*',
  ),
  drop('index_full', FULL, FULL.replace('kIndexFull', 'kDetailFull'), 'Handler.DropsASampleThatHasNoRoomItself'),
  drop('detail_full', FULL, FULL.replace('kDetailFull', 'kIndexFull'), 'Handler.DropsASampleWhoseStackHasNoRoom'),
  drop('busy', BLOCKED, 'DropReason::kSignalsBlocked', 'Handler.LeavesAThreadInOurOwnCodeAlone'),
  drop('signals_blocked', BLOCKED, 'DropReason::kBusy', 'Handler.DoesNotWalkWhereFaultsAreBlocked'),
  drop(
    'not_selected',
    '} else {\n      Drop(lanes, DropReason::kNotSelected);',
    '} else {',
    'Handler.DropsNativeThreadsWhenOnlyJavaScriptOnesAreWanted',
  ),
  drop(
    'not_selected-left-out',
    'state->is_left_out.load(std::memory_order_relaxed) != 0) {\n    Drop(lanes, DropReason::kNotSelected);',
    'state->is_left_out.load(std::memory_order_relaxed) != 0) {',
    'Handler.*LeftOut*',
  ),
  drop(
    'off_cpu',
    'Drop(lanes, DropReason::kOffCpu);',
    'Drop(lanes, DropReason::kNotDue);',
    'Handler.ASleepEndsABurst*',
  ),
  drop('not_due', 'Drop(lanes, DropReason::kNotDue);', 'Drop(lanes, DropReason::kOffCpu);', 'Handler.SamplesAtSomeOf*'),
  drop('no_stack', 'Drop(lanes, DropReason::kNoStack);', '', 'StackRoom.OnASmallSignalStack*', 'stack_room_test'),
  {
    ...drop(
      'in_flight',
      'totals->in_flight += signals > outcomes ? signals - outcomes : 0;',
      '',
      'Registry.*InFlight',
      'thread_registry_test',
    ),
    file: 'native/registry/totals.cc',
  },
  {
    ...drop(
      'stacks_lost',
      'out->stats.stacks_lost = stacks_lost;',
      '',
      'RecordingBuilder.CountsSamplesWhoseStackIsLost',
      'recording_builder_test',
    ),
    file: 'native/profile/recording_builder.cc',
  },
];

module.exports = { DROPS };
