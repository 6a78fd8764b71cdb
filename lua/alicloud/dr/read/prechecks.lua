--- Runs the pre-check for many groups: would the service accept a failover of each now? Reads only.
--- Each group is judged as by `group:precheck`; the reads, also further looks, are made together.

local guard = require "alicloud.base.guard"
local many = require "alicloud.dr.read.many"
local precheck = require "alicloud.dr.model.precheck"
local settled = require "alicloud.dr.read.settled"

local M = {}

---@class alicloud.dr.PrecheckLine
---@field group_id string
---@field region string
---@field ok boolean there is no obstacle to a failover
---@field verdict alicloud.dr.Verdict
---@field code string? of the first obstacle, or of `err`
---@field fact string? the same in words
---@field report alicloud.dr.Report? all findings; nil: see `err`
---@field err alicloud.Error? why the group could not be read or judged

---@class alicloud.dr.PrecheckList
---@field ok boolean every group could be failed over, and there is at least one
---@field verdict alicloud.dr.Verdict the worst of all lines
---@field lines alicloud.dr.PrecheckLine[] in the order of the groups

---@class alicloud.dr.PrecheckListOptions
---@field max_rpo number? seconds
---@field outage_at number|string?
---@field settle number? seconds to wait for obstacles that may pass by themselves; nil: 120
---@field listed alicloud.dr.Sweep? the sweep that has just found the groups: it is the first look
---@field progress? fun(event: { event: "settling", left: number, reason: string, group_id: string,
---waiting: integer, count: integer }) called before each wait for another look at some groups

-- A known obstacle counts more than an unknown fact.
local RANK = { ok = 0, unknown = 1, block = 2 }

local function line_of(group, settling, err)
  local line = { group_id = group.id, region = group.region, ok = false, verdict = "unknown" }
  err = err or settling.err
  if err then
    line.code, line.fact, line.err = err.code, err.message, err
    return line
  end
  local report = settling.report
  line.ok, line.verdict, line.report = report.ok, report.verdict, report
  local obstacle = precheck.first_obstacle(report)
  if obstacle then line.code, line.fact = obstacle.code, obstacle.fact end
  return line
end

-- Looks once at the groups in `places`. Returns those that need another look.
local function look(places, groups, settlings, lines, sizes, listed)
  local asked, left = {}, {}
  for i, place in ipairs(places) do asked[i] = groups[place] end
  for i, seen in ipairs(many.look(asked, sizes, listed)) do
    local place = places[i]
    if not seen.snapshot or settlings[place]:take(seen.snapshot) then
      lines[place] = line_of(groups[place], settlings[place], seen.err)
    else
      left[#left + 1] = place
    end
  end
  return left
end

local function read_lines(groups, options)
  local lines, settlings, left, sizes = {}, {}, {}, {}
  local terms = { max_rpo = options.max_rpo, outage_at = options.outage_at }
  for i, group in ipairs(groups) do
    settlings[i] = settled.begin(group, { loop = group.client.loop, terms = terms,
      settle = options.settle, emit = function() end })
    left[i] = i
  end
  left = look(left, groups, settlings, lines, sizes, options.listed)
  while #left > 0 do
    local first = settlings[left[1]]
    if options.progress then
      guard.call(options.progress, { event = "settling", left = first:left(),
        reason = first.reason, group_id = groups[left[1]].id, waiting = #left, count = #groups })
    end
    first:pause()
    left = look(left, groups, settlings, lines, sizes)
  end
  return lines
end

--- Runs the pre-check for groups.
---@param groups alicloud.dr.Group[]
---@param options alicloud.dr.PrecheckListOptions
---@return alicloud.dr.PrecheckList
function M.judge(groups, options)
  local list = { verdict = "ok", lines = read_lines(groups, options) }
  for _, line in ipairs(list.lines) do
    if RANK[line.verdict] > RANK[list.verdict] then list.verdict = line.verdict end
  end
  -- An empty list is not ok.
  if #groups == 0 then list.verdict = "block" end
  list.ok = list.verdict == "ok"
  return list
end

return M
