--- `plan`, in the process without rights: the dry run of a playbook.

local alicloud = require "alicloud"
local asking = require "alicloud.cli.confined.asking"
local book = require "alicloud.cli.confined.book"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local dry_run = require "alicloud.dr.playbook.dry_run"
local sandbox = require "alicloud.dr.playbook.sandbox"

local M = {}

local LONGEST_KEY, LONGEST_NOTE, MOST_NOTES = 1000, 4000, 100

local function text(value, longest)
  return value ~= nil and tostring(value):sub(1, longest) or nil
end

local function flags_of(given)
  return { point_of_no_return = given.point_of_no_return and true or nil,
    critical = given.critical and true or nil, graceful_only = given.graceful_only and true or nil,
    need = math.tointeger(given.need), timeout = text(given.timeout, 100),
    on_error = text(given.on_error, 200) }
end

local function map(list, convert)
  local result = {}
  for i, value in ipairs(list) do result[i] = convert(value) end
  return core.array(result)
end

local function id_of(id) return text(id, 64) end

local function call_of(call)
  return { product = call.product, action = call.action, region = call.region, host = call.host,
    token = text(call.token, 64), how = call.how, ids = map(call.ids, id_of) }
end

local function says_of(entry)
  local list = {}
  for i = 1, math.min(#entry.says, MOST_NOTES) do list[i] = text(entry.says[i], LONGEST_NOTE) end
  return core.array(list)
end

local function step_of(entry)
  return { key = text(entry.key, LONGEST_KEY), kind = entry.kind, effect = entry.effect,
    reads = entry.reads, says = says_of(entry), note = text(entry.note, LONGEST_NOTE),
    flags = flags_of(entry.options),
    failed = entry.failed and true or nil, calls = map(entry.calls, call_of) }
end

local function group_of(group)
  return { id = group.id, region = group.region }
end

---@param job table
---@param link alicloud.dr.ConfinedLink
---@return table
function M.run(job, link)
  alicloud.client = asking.new(link, job)
  dr.run, dr.walk = sandbox.refuse "dr.run", sandbox.refuse "dr.walk"
  local playbook, begin = book.open(job, link)
  job.region = begin.region
  local plan = dry_run.run(playbook, { client = alicloud.client(), params = job.params,
    kind = job.kind, mode = job.mode, incident = job.incident,
    outage_at = job.outage_at })
  return { steps = map(plan.steps, step_of), groups = map(plan.groups, group_of),
    stopped = text(plan.stopped, LONGEST_NOTE), changes = plan.changes }
end

return M
