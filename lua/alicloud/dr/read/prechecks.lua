--- Would the service take a failover of these groups now? Reads only. Each is judged as
--- `group:precheck` judges one, and what can be read of many is read together, also where a look is
--- not enough.

local guard = require "alicloud.base.guard"
local many = require "alicloud.dr.read.many"
local precheck = require "alicloud.dr.model.precheck"
local settled = require "alicloud.dr.read.settled"

local M = {}

---@class alicloud.dr.PrecheckLine
---@field group_id string
---@field region string
---@field ok boolean nothing stands against a failover
---@field verdict alicloud.dr.Verdict
---@field code string? of what stands against it, the first
---@field fact string? the same in words
---@field report alicloud.dr.Report? all that was found
---@field err alicloud.Error? why it could not be read

---@class alicloud.dr.PrecheckList
---@field ok boolean every one could be failed over, and there is one
---@field verdict alicloud.dr.Verdict the worst of all lines
---@field lines alicloud.dr.PrecheckLine[] in the order of the groups

---@class alicloud.dr.PrecheckListOptions
---@field max_rpo number? seconds
---@field outage_at number|string?
---@field settle number? seconds for what passes by itself
---@field listed alicloud.dr.Sweep? what has just told which groups there are: the first look
---@field progress? fun(event: { event: "settling", left: number, reason: string, group_id: string,
---waiting: integer, count: integer }) told of each wait for another look at some of them

-- What is known to stand against it outweighs what is not known.
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

-- One look at those that are left; which of them need another one.
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

--- Judges groups.
---@param groups alicloud.dr.Group[]
---@param options alicloud.dr.PrecheckListOptions
---@return alicloud.dr.PrecheckList
function M.judge(groups, options)
  local list = { verdict = "ok", lines = read_lines(groups, options) }
  for _, line in ipairs(list.lines) do
    if RANK[line.verdict] > RANK[list.verdict] then list.verdict = line.verdict end
  end
  -- Nothing to fail over is nothing that could be.
  if #groups == 0 then list.verdict = "block" end
  list.ok = list.verdict == "ok"
  return list
end

return M
