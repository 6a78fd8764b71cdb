--- The JSON of `report`: the evidence of a run, and two runs beside each other.

local kinds = require "alicloud.cli.json_shapes.kinds"

local text, integer, flag = kinds.text, kinds.integer, kinds.flag
local time, seconds = kinds.time, kinds.seconds
local list, map, object, words = kinds.list, kinds.map, kinds.object, kinds.words

local M = {}

M.STATUS = words("completed", "completed_with_exceptions", "stopped", "failed", "rolled_back",
  "running", "interrupted", "unfinished")

local KIND, MODE = words("drill", "planned", "unplanned"), words("graceful", "ungraceful")

local NEWER = object {
  { "line", integer, "" },
  { "what", text, "" },
}

local CHAIN = object {
  { "verdict", words("intact", "torn", "damaged", "unchecked"), "" },
  { "records", integer, "that could be read" },
  { "head?", text, "sum of the last of them" },
  { "torn_bytes?", integer, "at the end, never acknowledged" },
  { "line?", integer, "where it is damaged" },
  { "reason?", text, "" },
  { "newer?", NEWER, "the first record of a newer version" },
}

-- An error as a journal records it.
local NOTED = object({
  { "kind?", text, "" },
  { "code?", text, "" },
  { "message?", text, "" },
  { "outcome?", text, "" },
  { "hint?", text, "" },
  { "product?", text, "" },
  { "action?", text, "" },
  { "region?", text, "" },
  { "group_id?", text, "" },
  { "request_id?", text, "" },
  { "client_token?", text, "" },
  { "attempts?", integer, "" },
  { "status?", integer, "" },
  { "again?", text, "the step that only a person can let be done once more" },
  { "parameter?", text, "of the run, which has to be another one" },
}, "noted error")

local SUBJECTS = object({
  { "groups", list(text), "" },
  { "pairs", list(text), "" },
  { "disks", list(text), "" },
  { "instances", list(text), "" },
  { "regions", list(text), "" },
  { "drills", list(text), "" },
}, "subjects")

local APPROVAL = object {
  { "by", text, "" },
  { "at", time, "" },
  { "signature", text, "its first digits" },
  { "verdict", words("checked", "unchecked", "forged"), "" },
  { "why?", text, "why it does not count" },
  { "key?", text, "" },
  { "from?", text, "`playbook`, or where the key was taken from" },
  { "known?", flag, "whether the keys at hand have it" },
}

local CALL = object {
  { "product", text, "" },
  { "action", text, "" },
  { "region?", text, "" },
  { "at", time, "" },
  { "attempt?", integer, "" },
  { "token?", text, "first digits of the client token" },
  { "outcome?", text, "" },
  { "code?", text, "" },
  { "status?", integer, "" },
  { "request_id?", text, "" },
  { "answered_at?", time, "" },
}

local RESULT = object {
  { "outcome", text, "" },
  { "rto?", seconds, "" },
  { "rto_basis?", text, "" },
  { "rpo?", seconds, "" },
  { "rpo_basis?", text, "" },
  { "rpo_to?", time, "" },
  { "recover_point?", time, "" },
  { "region?", text, "" },
  { "from?", text, "region" },
  { "to?", text, "region" },
  { "request_id?", text, "" },
  { "attempts?", integer, "" },
  { "joined?", flag, "" },
}

local OUTPUT = object {
  { "at", time, "" },
  { "text", text, "" },
  { "ok", flag, "" },
  { "cut?", flag, "" },
  { "cut_short?", flag, "" },
  { "bytes?", integer, "" },
  { "kept?", integer, "" },
  { "file?", text, "" },
}

local STEP = object({
  { "step", text, "" },
  { "kind", words("step", "verify", "gate", "release"), "" },
  { "lane?", text, "branch that it belongs to" },
  { "status", words("begun", "done", "failed", "skipped", "undone", "running", "open", "passed",
    "broken", "expired", "refused", "unproven", "unchecked"), "" },
  { "begun_at?", time, "of the first time" },
  { "ended_at?", time, "" },
  { "seconds", seconds, "that it was worked on" },
  { "spans", list(object {
    { "from", time, "" },
    { "to?", time, "" },
    { "cut?", flag, "its process was killed" },
  }), "each time it was begun" },
  { "no_return?", flag, "" },
  { "critical?", flag, "" },
  { "why?", text, "of a skip" },
  { "by?", text, "whose wish it was" },
  { "err?", NOTED, "" },
  { "calls", list(CALL), "that change something" },
  { "group_id?", text, "of a verb" },
  { "result?", RESULT, "of a verb" },
  { "found?", kinds.any, "what its own check found done" },
  { "asked", list(object {
    { "answer", text, "" },
    { "by?", text, "" },
    { "at", time, "" },
  }), "what people answered" },
  { "need?", integer, "of a gate" },
  { "of?", list(text), "of a gate" },
  { "approvals?", list(APPROVAL), "" },
  { "subjects", SUBJECTS, "" },
  { "outputs", list(OUTPUT), "what programs said" },
  { "undo?", object {
    { "at", time, "" },
    { "ok", flag, "" },
    { "err?", NOTED, "" },
  }, "" },
}, "report step")

M.END = object({
  { "by", text, "" },
  { "key", text, "" },
  { "at", time, "" },
  { "records", integer, "that it signs" },
  { "verdict", text, "" },
  { "why?", text, "" },
  { "known?", flag, "" },
}, "signed end")

M.ANCHOR = object({
  { "moment", words("begin", "no_return", "end"), "" },
  { "records", integer, "" },
  { "head", text, "" },
  { "to", text, "" },
  { "ok", flag, "" },
  { "answer?", text, "" },
  { "at", time, "" },
}, "anchor")

M.REMARK = object({
  { "line", integer, "" },
  { "text", text, "" },
}, "remark")

M.NEWER = NEWER

local PROCESS = object {
  { "n", integer, "" },
  { "owner", text, "" },
  { "host", text, "" },
  { "pid", integer, "" },
  { "at", time, "" },
  { "digest", text, "of the playbook" },
  { "edited_from?", text, "" },
  { "cut_bytes?", integer, "" },
  { "key?", text, "" },
  { "taken_from?", text, "" },
  { "way?", map(kinds.any), "to the service, the typed options: `endpoint`, `profile`, …" },
  { "ending?", words("finished", "stopped", "interrupted", "killed", "running"), "" },
  { "ended_at?", time, "" },
}

-- A list of decisions of people: the fields given, when, and the gate that was passed before.
local function decided(...)
  local order = { ... }
  order[#order + 1] = { "at", time, "" }
  order[#order + 1] = { "behind?", text, "the gate that was passed before" }
  return list(object(order))
end

M.HOLDER = object({
  { "owner?", text, "" },
  { "host?", text, "" },
  { "pid?", integer, "" },
  { "since?", text, "" },
  { "account?", text, "" },
  { "region?", text, "" },
}, "holder")

local PRESENCE = object {
  { "verdict", words("running", "gone", "unknown"), "" },
  { "process?", M.HOLDER, "who holds the lock" },
  { "why?", text, "why it is not known" },
  { "shared?", flag, "the lock is in a shared store" },
  { "lease?", object {
    { "id", text, "" },
    { "left", seconds, "" },
  }, "" },
}

M.EVIDENCE = {
  { "version", integer, "of the report's own form" },
  { "status", M.STATUS, "" },
  { "journal?", text, "" },
  { "copied?", flag, "a copy of a run in a shared store" },
  { "chain", CHAIN, "" },
  { "playbook", object {
    { "name", text, "" },
    { "digest", text, "" },
    { "file?", text, "" },
  }, "" },
  { "run", object {
    { "id", text, "" },
    { "kind", KIND, "" },
    { "mode", MODE, "" },
    { "incident?", text, "" },
    { "requester", text, "" },
    { "region?", text, "" },
    { "replay?", text, "the recording that was played: nothing has happened" },
    { "params", map(kinds.any), "" },
  }, "" },
  { "began_at", time, "" },
  { "ended_at", time, "of the last record" },
  { "elapsed", seconds, "" },
  { "rto", object {
    { "declared?", seconds, "" },
    { "achieved?", seconds, "" },
    { "met?", flag, "" },
    { "basis?", words("verified", "data_ready"), "" },
    { "from?", words("outage", "incident", "run"), "" },
    { "from_at?", time, "" },
    { "why?", words("already", "found_open", "joined"), "" },
  }, "" },
  { "rpo", object {
    { "declared?", seconds, "" },
    { "achieved?", seconds, "" },
    { "met?", flag, "" },
    { "basis?", text, "" },
    { "to?", time, "" },
    { "group_id?", text, "" },
    { "recover_point?", time, "" },
  }, "" },
  { "subjects", SUBJECTS, "of the whole run" },
  { "outages", decided({ "said", text, "" }, { "by?", text, "" }), "that were declared" },
  { "finish", map(time), "`data_ready`, `old_side_fenced`, `verified`" },
  { "no_return?", object {
    { "step", text, "" },
    { "at", time, "" },
  }, "" },
  { "steps", list(STEP), "and gates, in order" },
  { "processes", list(PROCESS), "who ran it" },
  { "losses", decided({ "seconds", seconds, "" }, { "by", text, "" }, { "why", text, "" }),
    "that were accepted" },
  { "forces", decided({ "code", text, "" }, { "by", text, "" }, { "why", text, "" }),
    "what was overruled" },
  { "modes", decided({ "mode", MODE, "" }, { "by?", text, "" }, { "why?", text, "" },
    { "from?", text, "" }), "" },
  { "corrections", list(object {
    { "name", text, "" },
    { "old?", kinds.any, "" },
    { "new", kinds.any, "" },
    { "by", text, "" },
    { "why", text, "" },
    { "at", time, "" },
  }), "parameters that were others from then on" },
  { "notes", list(object {
    { "at", time, "" },
    { "text", text, "" },
    { "fields?", kinds.any, "" },
  }), "" },
  { "open", list(object {
    { "verb", text, "" },
    { "group_id", text, "" },
    { "region", text, "" },
    { "token", text, "first digits" },
    { "step?", text, "" },
    { "at", time, "" },
    { "sent", integer, "how often" },
    { "first_send_at?", time, "" },
    { "resend_window?", seconds, "" },
    { "doubtful?", flag, "" },
    { "accepted?", text, "request id" },
  }), "intents without an end" },
  { "exceptions", list(text), "" },
  { "error?", NOTED, "what ended it" },
  { "vouching", object {
    { "ends", list(M.END), "" },
    { "anchors", list(M.ANCHOR), "" },
    { "vouched", integer, "up to which record a signature vouches" },
    { "forged", list(M.REMARK), "" },
    { "unproven", list(M.REMARK), "" },
    { "limits", list(text), "what a chain does not show" },
  }, "" },
  { "presence?", PRESENCE, "of a run without an end" },
  { "production_down?", text, "" },
  { "ways_up", list(object {
    { "group_id", text, "" },
    { "way", words("back", "open", "turning", "turned", "opened"), "" },
    { "region", text, "" },
    { "zone?", text, "" },
    { "attach?", text, "" },
    { "failed?", flag, "" },
  }), "where each group that is down can come up" },
  { "resume?", text, "command" },
  { "fleet?", text, "command" },
  { "again?", text, "command" },
}

local function pair_of(name)
  return { name, object {
    { "a?", seconds, "" },
    { "b?", seconds, "" },
    { "difference?", seconds, "b less a" },
  }, "" }
end

local HEADER = object({
  { "run_id", text, "" },
  { "playbook", text, "" },
  { "digest", text, "" },
  { "status", M.STATUS, "" },
  { "kind", KIND, "" },
  { "began_at", time, "" },
  { "elapsed", seconds, "" },
  { "chain", text, "verdict" },
}, "compared run")

local ALONE = list(object {
  { "step", text, "" },
  { "seconds", seconds, "" },
  { "status", text, "" },
})

M.COMPARISON = {
  { "a", HEADER, "" },
  { "b", HEADER, "" },
  { "same_playbook", flag, "the same text" },
  pair_of "rto",
  pair_of "rpo",
  pair_of "elapsed",
  { "steps", list(object {
    { "step", text, "" },
    { "a?", seconds, "" },
    { "b?", seconds, "" },
    { "difference?", seconds, "" },
    { "a_status", text, "" },
    { "b_status", text, "" },
  }), "that both have" },
  { "added", ALONE, "that only b has" },
  { "removed", ALONE, "that only a has" },
}

return M
