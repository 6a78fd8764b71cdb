--- The JSON of the commands that are about playbooks and runs.

local evidence = require "alicloud.cli.json_shapes.evidence"
local kinds = require "alicloud.cli.json_shapes.kinds"
local shared = require "alicloud.cli.json_shapes.shared"

local text, integer, flag = kinds.text, kinds.integer, kinds.flag
local time, seconds = kinds.time, kinds.seconds
local list, map, object, words = kinds.list, kinds.map, kinds.object, kinds.words

local FIGURES = object {
  { "rto", object {
    { "seconds?", seconds, "" },
    { "basis?", words("verified", "data_ready"), "what stopped the clock" },
    { "from?", words("outage", "incident", "run"), "what started it" },
    { "from_at?", time, "" },
    { "why?", words("already", "found_open", "joined"), "why there is none" },
  }, "" },
  { "rpo", object {
    { "seconds?", seconds, "the worst of the failovers" },
    { "basis?", words("outage", "accepted", "observed", "stop"), "what it is counted to" },
    { "to?", time, "" },
    { "group_id?", text, "" },
    { "recover_point?", time, "" },
  }, "" },
}

local COMPLETED = {
  { "run_id", text, "" },
  { "status", words("completed", "completed_with_exceptions"), "" },
  { "outcome?", words("already_there", "already_failovered"), "nothing was to be done" },
  { "playbook", text, "" },
  { "journal", text, "path or address" },
  { "head", text, "sum of its last line" },
  { "rto?", seconds, "" },
  { "rpo?", seconds, "the worst of the failovers" },
  { "figures", FIGURES, "what the two are counted from and to" },
  { "declared?", object {
    { "rto?", seconds, "" },
    { "rpo?", seconds, "" },
  }, "" },
  { "marks", map(time), "`data_ready`, `old_side_fenced`, `verified`" },
  { "exceptions", list(text), "" },
  { "production_down?", text, "stopped and not brought back, or opened and not served" },
  { "bring_up?", list(text), "commands that bring that up" },
  { "attempts", integer, "processes that it took" },
  { "steps", list(object {
    { "step", text, "" },
    { "status", text, "" },
    { "why?", text, "of a skip" },
    { "err?", kinds.any, "" },
    { "begun_at?", time, "" },
    { "ended_at?", time, "" },
  }), "in order" },
  { "report?", text, "path of `--report`" },
  { "replay?", text, "the recording that was played: nothing has happened" },
}

local STOPPED = {
  { "journal", text, "path or address" },
  { "error", shared.error, "" },
  { "resume", text, "the command that goes on" },
  { "head?", text, "sum of the journal's last line" },
  { "status?", words("rolled_back"), "" },
  { "production_down?", text, "what the run has stopped and not brought back" },
  { "bring_up?", list(text), "commands that bring that up" },
  { "left_open?", list(text), "what wants a person's hand" },
  { "correctable?", list(text), "parameters that can be corrected" },
  { "again?", text, "the step that only a person can let be done once more" },
  { "report?", text, "path of `--report`" },
  { "holder?", evidence.HOLDER, "who has the run now" },
  { "replay?", text, "the recording that was played: nothing has happened" },
}

local NOT_BEGUN = {
  { "run", text, "the command that begins it, or goes on with it" },
  { "error", shared.error, "" },
}

local RUN = { { COMPLETED, "where it came to its end" },
  { STOPPED, "where it began and came to no end" },
  { NOT_BEGUN, "where its store has taken nothing" } }

local RUNS = {
  { "runs", list(object {
    { "journal", text, "" },
    { "playbook?", text, "" },
    { "kind?", words("drill", "planned", "unplanned"), "" },
    { "status", words("completed", "completed_with_exceptions", "stopped", "failed",
      "rolled_back", "running", "interrupted", "unfinished", "damaged", "handed_over"), "" },
    { "moved_to?", text, "where a run that was handed over is, as far as that is known" },
    { "began_at", time, "0 of a journal that cannot be read" },
    { "ended_at?", time, "of the last record" },
    { "requester?", text, "" },
    { "incident?", text, "" },
    { "groups", list(text), "" },
    { "replay?", text, "the recording that was played: nothing has happened" },
    { "code?", text, "of what ended it" },
    { "message?", text, "" },
    { "resume?", text, "command" },
    { "again?", text, "command" },
    { "bring_up", list(text), "commands" },
    { "once_up?", text, "command that writes down that the first of them has had its effect" },
    { "holder?", evidence.HOLDER, "who is at work on it" },
    { "command", text, "that goes on or looks" },
  }), "the newest first" },
  { "directory?", text, "" },
  { "store?", text, "" },
}

local PLAN = {
  { "steps", list(object {
    { "step", text, "" },
    { "kind", words("step", "gate", "verify"), "" },
    { "effect", words("reads", "changes", "refused", "unknown", "not_entered"), "" },
    { "note?", text, "" },
    { "says", list(text), "" },
    { "reads", integer, "calls" },
    { "calls", list(object {
      { "product", text, "" },
      { "action", text, "" },
      { "region?", text, "" },
      { "host?", text, "" },
      { "token?", text, "first digits" },
      { "ids", list(text), "" },
      { "how?", text, "" },
    }), "that would change something" },
    { "critical?", flag, "" },
    { "point_of_no_return?", flag, "" },
    { "graceful_only?", flag, "" },
    { "need?", integer, "approvals of a gate" },
  }), "" },
  { "playbook", text, "" },
  { "digest", text, "sha256" },
  { "groups", list(object {
    { "id", text, "" },
    { "region", text, "" },
  }), "" },
  { "stopped?", text, "why the plan ends early" },
  { "reads", integer, "calls that read" },
  { "changes", integer, "calls that change" },
  { "shortest", seconds, "that the calls take at least" },
  { "blocking", list(text), "what a run's sandbox refuses" },
  { "confined", shared.confined, "" },
}

local VERIFY = {
  { "records", integer, "" },
  { "head", text, "sum of the last of them" },
  { "torn_bytes", integer, "at the end, never acknowledged" },
  { "ending?", text, "" },
  { "approvals", list(object {
    { "gate", text, "" },
    { "by", text, "" },
    { "at", time, "" },
    { "verdict", words("checked", "unchecked", "forged"), "" },
    { "why?", text, "" },
    { "key?", text, "" },
    { "from?", text, "" },
    { "known?", flag, "" },
  }), "" },
  { "broken", list(object {
    { "gate", text, "" },
    { "by?", text, "" },
    { "at", time, "" },
    { "why?", text, "" },
  }), "gates that were broken open" },
  { "ends", list(evidence.END), "" },
  { "anchors", list(evidence.ANCHOR), "" },
  { "vouched", integer, "up to which record a signature vouches" },
  { "forged", list(evidence.REMARK), "" },
  { "unproven", list(evidence.REMARK), "" },
  { "newer?", evidence.NEWER, "" },
  { "doubts", list(text), "" },
  { "limits", list(text), "what a chain does not show" },
}

local POLICY = {
  { "policy", kinds.any, "for RAM" },
  { "notes", list(text), "" },
  { "inferred", list(text), "operations whose resources no page names" },
  { "calls", integer, "of the simulated runs" },
  { "confined?", shared.confined, "not with `policy conformance`" },
}

local COVERAGE = { "coverage", object {
    { "met", map(integer), "runs by request/outcome, write/stop, phase and code" },
    { "never", list(text), "" },
  }, "" }

local EXPLORE = {
  { "violations", list(object {
    { "seed", integer, "" },
    { "violation", text, "" },
    { "only", list(integer), "troubles that are enough" },
    { "troubles", list(text), "" },
    { "command", text, "that repeats it" },
  }), "" },
  { "seeds", integer, "" },
  { "processes", integer, "" },
  { "crashes", integer, "" },
  { "requests", integer, "" },
  { "effects", integer, "" },
  { "endings", map(integer), "how often" },
  { "invariants", map(text), "" },
  COVERAGE,
  { "confined", shared.confined, "" },
  { "unnamed_programs", list(text), "no `--program` names them, and each ended well" },
  { "unused_programs", list(text), "`--program` names them, and an undisturbed run starts none" },
  { "error?", shared.error, "where no run of several came to its end" },
}

local EXHAUSTIVE = {
  { "exhaustive", integer, "1, or 2: pairs" },
  { "violations", list(object {
    { "violation", text, "" },
    { "only", list(integer), "the trouble, and the second one on its trace" },
    { "troubles", list(text), "" },
    { "command", text, "that repeats it" },
  }), "" },
  { "points", integer, "at which a trouble can come" },
  { "troubles", integer, "" },
  { "runs", integer, "" },
  { "merged", map(integer), "troubles that were not run, by rule" },
  { "traces", integer, "single troubles that differ" },
  { "harmed", integer, "runs with a violation" },
  { "processes", integer, "" },
  { "crashes", integer, "" },
  { "requests", integer, "" },
  { "effects", integer, "" },
  { "endings", map(integer), "how often" },
  COVERAGE,
  { "confined", shared.confined, "" },
  { "unnamed_programs", list(text), "no `--program` names them, and each ended well" },
  { "unused_programs", list(text), "`--program` names them, and an undisturbed run starts none" },
}

local DRAFT = {
  { "draft_world", text, "path" },
  { "problem?", text, "why the playbook does not end well in it" },
  { "groups", integer, "" },
  { "disks", integer, "" },
  { "instances", integer, "" },
}

local ITEM = object({
  { "account", text, "" },
  { "group", text, "" },
  { "region", text, "of the secondary site" },
  { "name?", text, "" },
  { "params?", map(kinds.any), "of this one alone" },
  { "stage?", integer, "" },
  { "state", words("done", "failed", "left_out", "under_way", "open"), "" },
  { "journal", text, "" },
  { "holder?", evidence.HOLDER, "" },
  { "ending?", object {
    { "outcome", words("done", "failed", "left_out"), "" },
    { "status?", text, "of a run that came to its end" },
    { "code?", text, "" },
    { "message?", text, "" },
    { "effect?", text, "what is known of the effect of what failed" },
    { "rto?", seconds, "" },
    { "rpo?", seconds, "" },
    { "head?", text, "" },
    { "seconds?", seconds, "" },
    { "by?", text, "" },
    { "at?", time, "" },
  }, "" },
}, "item")

local FLEET = {
  { "fleet", text, "" },
  { "playbook", text, "" },
  { "count", integer, "" },
  { "done", integer, "" },
  { "failed", integer, "" },
  { "left_out", integer, "" },
  { "under_way", integer, "" },
  { "open", integer, "" },
  { "stage", integer, "the last one that is open" },
  { "stages", integer, "" },
  { "hold?", object {
    { "why", text, "" },
    { "by", text, "" },
    { "at?", time, "" },
  }, "" },
  { "items", list(ITEM), "in their order" },
}

local HANDOVER = {
  { "journal", text, "where it is now" },
  { "resume", text, "command" },
  { "run_id", text, "" },
  { "team?", integer, "group id of those who may go on" },
}

return {
  run = RUN,
  resume = RUN,
  runs = { { RUNS, "" } },
  plan = { { PLAN, "" } },
  fleet = { { FLEET, "" } },
  handover = { { HANDOVER, "" } },
  approve = { { { { "approved", kinds.any, "the signed line" } }, "" },
    { { { "key", text, "public" }, { "name", text, "" } }, "with `--new-key`" } },
  ungraceful = { { { { "left", flag, "for the run" } }, "" } },
  verify = { { VERIFY, "" } },
  report = { { evidence.EVIDENCE, "of one run; a file with it has no `exit`" },
    { evidence.COMPARISON, "with `--compare`" },
    { { { "report", text, "path" }, { "format", text, "" } }, "with `--output`" } },
  record = { { { { "har", text, "path" }, { "exchanges", integer, "" },
    { "differences", integer, "that the recording marks" },
    { "dropped", integer, "that the recorder left out" } }, "" } },
  policy = { { POLICY, "" } },
  explore = { { EXHAUSTIVE, "with `--exhaustive`" }, { DRAFT, "with `--draft-world`" },
    { EXPLORE, "" } },
}
