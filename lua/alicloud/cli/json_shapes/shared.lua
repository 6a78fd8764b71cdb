--- Objects that the JSON of several commands has in common.

local kinds = require "alicloud.cli.json_shapes.kinds"

local text, integer, flag = kinds.text, kinds.integer, kinds.flag
local time, seconds = kinds.time, kinds.seconds
local list, object, words = kinds.list, kinds.object, kinds.words

local M = {}

M.place = object({
  { "region", text, "" },
  { "zone?", text, "" },
}, "place")

M.pair = object({
  { "id", text, "" },
  { "status", text, "as the service says it" },
  { "status_message?", text, "the service's words about it" },
  { "recover_point?", time, "before the first full sync there is none" },
  { "from?", M.place, "where its data comes from" },
  { "to?", M.place, "where its data goes" },
  { "source_disk?", text, "" },
  { "destination_disk?", text, "" },
}, "pair")

M.group = object({
  { "group_id", text, "" },
  { "name?", text, "" },
  { "region", text, "the region that was asked" },
  { "role", words("secondary", "primary", "both", "absent", "unclear"),
    "what that region is for the group now" },
  { "status?", text, "as the service says it" },
  { "from?", M.place, "where the data comes from now" },
  { "to?", M.place, "where the data goes now" },
  { "reversed", flag, "the direction is another than at creation" },
  { "declared_rpo?", integer, "seconds" },
  { "recover_point?", time, "the oldest of the group and its pairs, if none is in doubt" },
  { "oldest_pair?", text, "the pair that holds it" },
  { "recover_point_age?", seconds, "by the server's clock; missing if a pair has no point" },
  { "server_time?", time, "of the look" },
  { "pair_number?", integer, "how many pairs the group counts" },
  { "pairs", list(M.pair), "that were read" },
}, "group")

M.force = object({
  { "code", text, "" },
  { "why", text, "" },
  { "by", text, "" },
}, "force")

M.finding = object({
  { "id", text, "name of the rule" },
  { "code", text, "with which the call would be refused" },
  { "verdict", words("ok", "warn", "block", "unknown"), "" },
  { "fact", text, "what was read" },
  { "cure?", text, "" },
  { "only_the_call_can_tell?", flag, "an unknown here stops nothing" },
  { "forcible?", flag, "`--force` may overrule it" },
  { "forced?", M.force, "by whom it was overruled" },
}, "finding")

M.host = object({
  { "id", text, "instance" },
  { "name?", text, "" },
  { "status?", text, "as the service says it" },
}, "host")

M.side = object({
  { "region?", text, "" },
  { "known", flag, "whether it could be read" },
  { "why?", text, "why it could not" },
  { "disks", list(object {
    { "id", text, "" },
    { "pair?", text, "" },
    { "status?", text, "" },
    { "hosts", list(M.host), "that have it attached" },
  }), "" },
}, "side")

M.compute = {
  { "outcome", words("fenced", "already_fenced", "serving", "already_serving", "unfenced",
    "already_unfenced", "served_elsewhere"), "" },
  { "group_id", text, "" },
  { "region", text, "" },
  { "stopped?", list(text), "instances that this has stopped" },
  { "detached?", list(text), "disks that this has detached" },
  { "attached?", list(text), "disks that this has attached" },
  { "started?", list(text), "instances that this has started" },
  { "unmapped?", list(text), "disks for which no instance was given" },
  { "unseen?", text, "how many pairs were seen open, or fenced, of a set that was not whole" },
  { "unproven?", text, "how the other site contradicts what was seen here" },
  { "side?", M.side, "as seen at the end" },
  { "old_side?", M.side, "" },
  { "old_side_fenced?", flag, "missing: not known" },
  { "old_side_fenced_at?", time, "of the look that showed it" },
  { "data_ready_at?", time, "of the look that showed the data open" },
  { "elapsed?", seconds, "" },
  { "request_ids", list(text), "" },
}

M.error = object({
  { "kind", words("api", "http", "network", "tls", "timeout", "decode", "limit", "credentials",
    "throttled", "cancelled", "precheck", "state", "journal", "usage", "internal"), "" },
  { "code", text, "verbatim of the service; ours are `Client.*`, see `alicloud-dr explain`" },
  { "message", text, "" },
  { "outcome?", words("not_sent", "rejected", "unknown", "accepted"),
    "what may be said of an effect" },
  { "retryable?", flag, "the same may succeed later" },
  { "hint?", text, "what to do" },
  { "product?", text, "" },
  { "action?", text, "operation" },
  { "region?", text, "" },
  { "endpoint?", text, "" },
  { "status?", integer, "of the HTTP answer" },
  { "request_id?", text, "" },
  { "request_ids?", list(text), "of every answer" },
  { "host_id?", text, "" },
  { "recommend?", text, "the service's link" },
  { "access_denied_detail?", kinds.any, "as the service gives it" },
  { "attempts?", integer, "" },
  { "client_token?", text, "repeat with the same one" },
  { "retry_after?", seconds, "the wish of the service" },
  { "group_id?", text, "" },
  { "parameter?", text, "of the run, which has to be another one" },
  { "drill_id?", text, "" },
  { "cleared?", flag, "whether the drill that failed was cleared" },
  { "findings?", list(M.finding), "of the pre-check that refused it" },
  { "forcible?", list(text), "codes that `--force` may overrule" },
  { "last_seen?", M.group, "the last look" },
  { "old_side?", M.side, "" },
  { "done_so_far?", object(M.compute), "what was done before it failed" },
  { "line?", integer, "of the journal, where it is damaged" },
}, "error")

M.confined = object({
  { "limits", flag, "" },
  { "no_new_privs", flag, "" },
  { "seccomp", flag, "" },
  { "landlock", integer, "version; 0: none" },
  { "missing", list(text), "what this system cannot do" },
}, "confined")

return M
