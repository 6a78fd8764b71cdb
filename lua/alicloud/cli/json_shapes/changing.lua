--- The JSON of the commands that change one group.

local kinds = require "alicloud.cli.json_shapes.kinds"
local shared = require "alicloud.cli.json_shapes.shared"

local text, integer, flag = kinds.text, kinds.integer, kinds.flag
local time, seconds = kinds.time, kinds.seconds
local list, object, words = kinds.list, kinds.object, kinds.words

local FAILOVER = {
  { "outcome", words("failovered", "already_failovered"), "" },
  { "group_id", text, "" },
  { "region", text, "where it was asked" },
  { "from?", shared.place, "direction as observed at the end" },
  { "to?", shared.place, "" },
  { "pairs", list(shared.pair), "as observed at the end" },
  { "joined", flag, "one that was under way was awaited; nothing was sent" },
  { "rpo?", seconds, "what was lost; missing: nobody saw from when on" },
  { "rpo_basis?", words("outage", "accepted", "observed"), "what `rpo_to` is" },
  { "rpo_to?", time, "by the server's clock" },
  { "rto?", seconds, "until every pair was seen open" },
  { "rto_basis?", words("outage", "sent", "start"), "from where it is counted" },
  { "outage_at?", time, "as declared" },
  { "recover_point?", time, "the oldest of group and pairs" },
  { "oldest_pair?", text, "the pair that holds it" },
  { "request_id?", text, "of the accepted call" },
  { "request_ids", list(text), "of every answer" },
  { "client_token?", text, "" },
  { "attempts", integer, "how often the call left" },
  { "unseen?", text, "how many pairs were seen open, of a set that was not whole" },
  { "forced?", list(shared.force), "findings that were overruled" },
  { "unneeded_force?", list(shared.force), "what stood against nothing" },
}

local CHANGE = {
  { "outcome", text, "such as `started`, or `already_started`" },
  { "group_id", text, "" },
  { "region", text, "where the call went" },
  { "from?", shared.place, "direction as observed at the end" },
  { "to?", shared.place, "" },
  { "pairs", list(shared.pair), "as observed at the end" },
  { "joined", flag, "somebody else's was awaited; nothing was sent" },
  { "reverse?", flag, "the replication was turned round" },
  { "elapsed?", seconds, "from the first look on" },
  { "recover_point?", time, "the oldest of group and pairs" },
  { "old_side?", shared.side, "" },
  { "request_id?", text, "of the accepted call" },
  { "request_ids", list(text), "of every answer" },
  { "client_token?", text, "" },
  { "attempts", integer, "how often the call left" },
}

local DRILL = object({
  { "drill_id", text, "" },
  { "group_id", text, "" },
  { "region", text, "" },
  { "status", text, "as the service says it" },
  { "message?", text, "the service's words about a failure" },
  { "started_at?", time, "" },
  { "recover_point?", time, "of the data on its disks" },
  { "age?", seconds, "by the server's clock" },
  { "warning?", text, "what it costs" },
  { "disks", list(object {
    { "pair?", text, "" },
    { "disk?", text, "" },
    { "status?", text, "" },
  }), "" },
}, "drill")

local DRILL_LIST = {
  { "drills", list(DRILL), "" },
  { "region", text, "" },
}

local DRILL_RESULT = {
  { "outcome", words("drill_ready", "drilled", "cleared", "not_open"), "" },
  { "group_id", text, "" },
  { "region", text, "" },
  { "drill_id", text, "" },
  { "elapsed?", seconds, "" },
  { "adopted?", flag, "the answer was lost, the drill was found by looking" },
  { "drill?", DRILL, "as last seen" },
  { "open?", list(DRILL), "of `not_open`: the drills that the group has" },
  { "request_id?", text, "of the accepted call" },
  { "request_ids", list(text), "of every answer" },
  { "client_token?", text, "" },
  { "attempts", integer, "how often the call left" },
}

return {
  failover = { { FAILOVER, "" } },
  start = { { CHANGE, "" } },
  stop = { { CHANGE, "" } },
  reprotect = { { CHANGE, "" } },
  fence = { { shared.compute, "" } },
  serve = { { shared.compute, "" } },
  unfence = { { shared.compute, "" } },
  drill = { { DRILL_RESULT, "`drill start` and `drill clear`" }, { DRILL_LIST, "`drill list`" } },
}
