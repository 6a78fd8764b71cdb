--- `alicloud-dr readiness`: could these groups be failed over now? For a timer. Reads only.

local aftermath = require "alicloud.cli.view_change"
local cli_clients = require "alicloud.cli.client"
local dr = require "alicloud.dr"
local group_names = require "alicloud.cli.group_names"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
One line per group, and per pair without a group: ok; warn (a failover would be taken, but somebody
should look: replication is stopped, the group is failed over and not protected, the recovery point
is late, a drill was forgotten, an instance has a data disk that nothing replicates); fail (it would
be refused, or lose more than --max-rpo); unknown (it could not be read, or not be told).

Examples:
  alicloud-dr readiness --region cn-shanghai --max-rpo 20m
  alicloud-dr readiness pg-orders pg-payments --region cn-shanghai --json
  alicloud-dr readiness --region cn-shanghai --quiet --exclude 'pg-test-*'

Exit codes: 0 all ok, 1 at least one warn, 2 at least one fail, or no group at all, also usage,
3 no fail, but at least one that could not be told.]]

function M.configure(command)
  command:argument("group", "Group ids; without any, every group that fails over to the region.")
    :args "*"
  options.add_common(command, "Region of the secondary site")
  command:option("--exclude", "Leave a group out: an id, name:NAME, or an id with * in it; again "
    .. "for another one."):argname "<group>":count "*"
  command:flag("--quiet", "Print only what is not ok; a timer mails nothing then.")
  command:option("--max-rpo", "Oldest recovery point that is acceptable, e.g. 20m.")
    :argname "<duration>"
  command:option("--max-drill-age", "A drill that is open for longer is worth a warning (1d).")
    :argname "<duration>"
  command:epilog(EPILOG)
end

local UNKNOWN = 3

local function fail(io, args, err)
  return output.complain(io, args.json == true, UNKNOWN, {
    kind = err.kind, code = err.code, message = tostring(err), outcome = err.outcome,
  })
end

-- An id in which a star stands for anything.
local function pattern_of(word)
  return "^" .. word:gsub("[%-%.%+%[%]%(%)%$%^%%%?]", "%%%0"):gsub("%*", ".*") .. "$"
end

local function check_words(args)
  for _, id in ipairs(args.group) do options.group_id(id) end
  for _, word in ipairs(args.exclude) do
    if word == "*" then options.refuse '--exclude: got "*"; allowed: less than all groups' end
    options.group_id((word:gsub("%*", "x")), "--exclude")
  end
end

-- Those that were typed, or all that the region is the secondary site of.
local function chosen(client, region, args, io)
  local ids = {}
  for i, typed in ipairs(args.group) do
    local id, err = group_names.id_of(client, region, typed, io)
    if not id then return nil, err end
    ids[i] = id
  end
  if #ids > 0 then return ids end
  return dr.group_ids(client, { region = region, site = "backup", lone_pairs = true })
end

local function without(ids, client, region, args, io)
  local left, patterns = {}, {}
  for i, word in ipairs(args.exclude) do
    local id, err = group_names.id_of(client, region, word, io)
    if not id then return nil, err end
    patterns[i] = pattern_of(id)
  end
  for _, id in ipairs(ids) do
    local excluded = false
    for _, pattern in ipairs(patterns) do excluded = excluded or id:find(pattern) ~= nil end
    if not excluded then left[#left + 1] = id end
  end
  return left
end

function M.run(args, io)
  check_words(args)
  local limits = { max_rpo = options.duration(args, "max_rpo"),
    max_drill_age = options.duration(args, "max_drill_age") }
  local client <close>, region = cli_clients.open(args, io)
  local ids, err = chosen(client, region, args, io)
  if ids then ids, err = without(ids, client, region, args, io) end
  if not ids then return fail(io, args, err) end
  local groups = {}
  for i, id in ipairs(ids) do groups[i] = dr.group(client, id, { region = region }) end
  local report = dr.readiness(groups, limits)
  if args.json then return output.json(io, report.exit, output.readiness_report(report)) end
  io.out(aftermath.readiness(io, region, report, args.quiet))
  return report.exit
end

return M
