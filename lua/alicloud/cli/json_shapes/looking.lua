--- The JSON of the commands that read, explain or emulate.

local kinds = require "alicloud.cli.json_shapes.kinds"
local shared = require "alicloud.cli.json_shapes.shared"

local text, integer, number, flag = kinds.text, kinds.integer, kinds.number, kinds.flag
local seconds = kinds.seconds
local list, map, object, words = kinds.list, kinds.map, kinds.object, kinds.words

local NETWORK = object {
  { "endpoint", object {
    { "host", text, "" },
    { "scheme", text, "" },
    { "secure", flag, "" },
    { "source", text, "where it came from" },
  }, "" },
  { "proxy?", object {
    { "host?", text, "" },
    { "url?", text, "without its password" },
    { "source", text, "" },
  }, "" },
  { "trust", object {
    { "ca_file?", text, "" },
    { "ca_path?", text, "" },
    { "source", text, "`option`, `system`, or the variables that name them" },
  }, "" },
  { "client_cert?", text, "" },
  { "resolve?", map(list(text)), "addresses" },
}

local STATUS = {
  { "groups", list(shared.group), "" },
  { "region", text, "" },
  { "error?", shared.error, "where one that was named is not there" },
  { "network?", NETWORK, "with `--verbose`: the way to the service" },
}

local UNPROTECTED = object {
  { "disk", text, "" },
  { "instance", text, "" },
  { "name?", text, "" },
}

local READINESS = {
  { "groups", list(object {
    { "group_id", text, "" },
    { "region", text, "" },
    { "verdict", words("ok", "warn", "fail", "unknown"), "" },
    { "code?", text, "of the first reason" },
    { "reasons", list(text), "why it is not ok, the worst first" },
    { "recover_point_age?", seconds, "" },
    { "max_rpo?", seconds, "" },
    { "declared_rpo?", integer, "seconds" },
    { "open_drills?", integer, "" },
    { "unprotected?", list(UNPROTECTED), "data disks that no pair replicates" },
    { "untold?", text, "why that is not known" },
    { "group?", shared.group, "" },
    { "error?", shared.error, "why it could not be read" },
  }), "" },
  { "verdict", words("ok", "warn", "fail", "unknown"), "the worst" },
}

local PRECHECK = {
  { "findings", list(shared.finding), "" },
  { "ok", flag, "nothing stands against it" },
  { "verdict", words("ok", "block", "unknown"), "" },
  { "group", shared.group, "" },
  { "error?", shared.error, "what stands against it, the first" },
}

local PRECHECKS = {
  { "groups", list(object {
    { "group_id", text, "" },
    { "region", text, "" },
    { "ok", flag, "nothing stands against it" },
    { "verdict", words("ok", "block", "unknown"), "" },
    { "findings", list(shared.finding), "" },
    { "group?", shared.group, "" },
    { "error?", shared.error, "what stands against it, the first, or why it could not be read" },
  }), "" },
  { "ok", flag, "nothing stands against any" },
  { "verdict", words("ok", "block", "unknown"), "the worst; `block` where there is none" },
}

local DEPENDENCIES = {
  { "dependencies", list(object {
    { "host", text, "host[:port]" },
    { "purpose", words("endpoint", "credentials", "proxy", "store", "hook"), "" },
    { "place", words("region", "machine", "instance", "unknown"), "where its name says it is" },
    { "region?", text, "" },
    { "serves?", text, "the region whose resources an endpoint knows" },
    { "product?", text, "" },
    { "source?", text, "where the host came from" },
    { "failed", flag, "it lies in the failed region, or serves it" },
  }), "" },
  { "error?", shared.error, "if any of them failed" },
}

local TRIED = list(object {
  { "provider", text, "" },
  { "reason", text, "" },
  { "absent?", flag, "there is none, which is no fault" },
})

local NEAR_MISSES = list(object {
  { "set", text, "" },
  { "counts", text, "the name that is read" },
})

local WHOAMI = {
  { "provider", text, "" },
  { "key_id", text, "shortened" },
  { "temporary", flag, "" },
  { "expires_in?", seconds, "" },
  { "tried", TRIED, "before it" },
  { "near_misses", NEAR_MISSES, "variables under other names than those that are read" },
  { "caller?", object {
    { "account_id?", text, "" },
    { "arn?", text, "" },
    { "identity_type?", text, "" },
    { "principal_id?", text, "" },
    { "request_id?", text, "" },
  }, "as the service sees it" },
  { "error?", shared.error, "why the service did not say" },
}

local NOBODY = {
  { "tried", TRIED, "" },
  { "near_misses", NEAR_MISSES, "" },
  { "error", shared.error, "" },
}

local BUG_REPORT = {
  { "output", text, "the file" },
  { "sections", list(object {
    { "title", text, "" },
    { "lines", integer, "" },
    { "dropped", integer, "left out, since they could not be proved to be clean" },
  }), "" },
}

local CODE = {
  { "code", text, "" },
  { "product?", text, "whose code it is; missing of our own" },
  { "status?", integer, "usual HTTP status" },
  { "meaning", text, "" },
  { "fault?", text, "whose it is; missing of our own" },
  { "known", text, "what may be said of an effect" },
  { "outcome?", words("not_sent", "rejected", "unknown", "accepted"), "" },
  { "resend", text, "whether sending again is safe" },
  { "cure", text, "" },
  { "operations", list(text), "that document it" },
  { "next", list(text), "commands" },
}

local ASSUMPTION = {
  { "assumption", text, "its name" },
  { "meaning", text, "what is taken for granted" },
  { "default?", kinds.any, "of the emulator's switch" },
  { "values?", list(kinds.any), "of the emulator's switch" },
  { "strength?", text, "of the evidence" },
  { "evidence?", text, "what the public shows" },
  { "source?", text, "" },
  { "decided_by?", text, "the cheapest observation" },
  { "next", list(text), "commands" },
}

local RUN = {
  { "journal", text, "" },
  { "status", text, "as of *evidence*" },
  { "stands", text, "" },
  { "production_down?", text, "what the run has stopped and not brought back" },
  { "cause", text, "" },
  { "corrections", list(text), "parameters that are others now" },
  { "known", list(text), "what was sent, and what is known of it" },
  { "doubts", list(text), "what is forged, of a newer version, or of strangers" },
  { "resend", text, "whether sending again is safe" },
  { "again?", text, "the command that does a step once more" },
  { "next", list(text), "commands" },
}

local PLAYBOOKS = {
  { "playbooks", list(object {
    { "name", text, "" },
    { "summary?", text, "" },
    { "kind?", text, "" },
    { "graceful_only?", text, "why it needs the old side" },
    { "params", list(object {
      { "name", text, "" },
      { "type", text, "" },
      { "help?", text, "" },
      { "required", flag, "" },
      { "default?", kinds.any, "" },
      { "allowed", text, "" },
    }), "" },
    { "digest?", text, "sha256, of a file" },
    { "confined?", shared.confined, "how a file was kept from harm" },
  }), "" },
}

local EVIDENCE = object {
  { "strength", text, "`confirmed`, `leaning`, `unknown` or `contradicted`: the default, by the "
    .. "public" },
  { "toward?", kinds.any, "the value that it is for" },
  { "text", text, "what the public shows" },
  { "source", text, "names of public sources" },
  { "decided_by", text, "the cheapest observation" },
  { "tier", text, "what that takes: `read`, `burst`, `drill`, `throwaway`, `cannot`, `none`" },
}

local ASSUMPTIONS = {
  { "assumptions", list(object {
    { "name", text, "" },
    { "default", kinds.any, "" },
    { "text", text, "what the model does, and what the switch changes" },
    { "values?", list(kinds.any), "" },
    { "evidence", EVIDENCE, "" },
  }), "" },
}

local SCENARIOS = {
  { "scenarios", list(object {
    { "name", text, "" },
    { "title", text, "" },
    { "story", text, "" },
  }), "" },
}

local LOAD = {
  { "load", list(object {
    { "operation", text, "product:action" },
    { "region", text, "" },
    { "calls", integer, "" },
    { "most", integer, "in one second" },
    { "quota", number, "calls a second" },
    { "throttled", integer, "" },
    { "waited", seconds, "all calls of a client under its own rate together" },
    { "longest_wait", seconds, "" },
  }), "" },
  { "calls", integer, "" },
  { "seconds", seconds, "from the first to the last" },
  { "throttle", text, "what the emulator assumes" },
}

local LISTENING = {
  { "endpoint", text, "" },
  { "admin", text, "" },
  { "port", integer, "" },
  { "access_key_id", text, "" },
  { "access_key_secret", text, "" },
  { "clock", text, "" },
  { "speed?", number, "" },
  { "seed", integer, "" },
  { "groups", list(text), "" },
  { "endpoints?", map(text), "with `--region-ports`" },
}

local SEEN_CALL = object {
  { "time", text, "" },
  { "action", text, "" },
  { "region?", text, "" },
  { "status?", integer, "" },
  { "code?", text, "" },
  { "message?", text, "" },
  { "request_id?", text, "" },
  { "times?", integer, "of one that was sent many times" },
  { "answer?", kinds.any, "ids and names are pseudonyms" },
}

local CONFORMANCE = {
  { "format", text, "`alicloud-dr conformance 1`" },
  { "tool", text, "" },
  { "account?", text, "a pseudonym" },
  { "regions", list(text), "" },
  { "started", text, "" },
  { "tier", text, "" },
  { "assume", map(kinds.any), "what `emulator --assume-from` assumes" },
  { "messages", map(object {
    { "status", integer, "" },
    { "text", text, "" },
  }), "by code" },
  { "timings", map(kinds.any), "`min`, `median` and `max` in seconds" },
  { "unknown", list(text), "of what nothing could be told" },
  { "evidence", list(object {
    { "name", text, "" },
    { "verdict", words("confirmed", "contradicted", "new", "undecided"), "" },
    { "value?", kinds.any, "as seen" },
    { "assumed?", kinds.any, "" },
    { "reason?", text, "" },
    { "calls", list(SEEN_CALL), "" },
  }), "" },
  { "file", text, "where it was written" },
  { "journal", text, "" },
  { "calls", integer, "" },
}

return {
  conformance = { { CONFORMANCE, "" } },
  status = { { STATUS, "" } },
  readiness = { { READINESS, "" } },
  precheck = { { PRECHECK, "of one group that was named" },
    { PRECHECKS, "of several, or of a region" } },
  dependencies = { { DEPENDENCIES, "" } },
  whoami = { { WHOAMI, "" }, { NOBODY, "where there are no credentials" } },
  explain = { { CODE, "of a code" }, { ASSUMPTION, "of an assumption" }, { RUN, "of a run" } },
  bugreport = { { BUG_REPORT, "" } },
  playbooks = { { PLAYBOOKS, "" }, { { { "path", text, "" } }, "with `--copy`" } },
  call = { { { { "RequestId?", text, "" } }, "the answer as the API spells it, with its own fields",
    open = true } },
  emulator = {
    { LISTENING, "when it listens; it has no `exit`", goes_on = true },
    { ASSUMPTIONS, "with `--list-assumptions`" },
    { SCENARIOS, "with `--list-scenarios`" },
    { LOAD, "with `--load`" },
  },
  manual = {
    { { { "topics", list(object {
      { "topic", text, "" },
      { "summary", text, "" },
    }), "" } }, "without a topic" },
    { { { "topic", text, "" }, { "text", text, "Markdown" } }, "of a topic" },
  },
  version = { { {
    { "version", text, "" },
    { "build", text, "which sources the C modules are of" },
    { "libraries", map(text), "versions" },
  }, "" } },
}
