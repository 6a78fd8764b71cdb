--- Finds troubles that need no run, because the run of another one stands for theirs. As long as a
--- run sees the same as the one without the trouble, the trouble's beginning does not matter; and
--- if nobody asks between two possible ends of a trouble, its end does not matter.
---
---     local same = sameness.open(points)
---     for each trouble of a kind, in the order of the requests:
---       if not same:rule_of(trouble) then same:note(trouble, its_points, its_stage) end

local M = {}

---@class alicloud.simulation.KnownRun
---@field trouble alicloud.simulation.Trouble
---@field ends number? model time at which its trouble ends
---@field times number[] of its requests
---@field ended number model time

---@class alicloud.simulation.Sameness
---@field base table<integer, alicloud.simulation.Point> requests without the trouble, by number
---@field last integer
---@field from number? model time of the request at which the first known run's trouble came
---@field till integer? number of the first request that changes, or is answered otherwise
---@field till_time number model time of that request
---@field runs alicloud.simulation.KnownRun[] of troubles that have begun by `till`
local Sameness = {}
Sameness.__index = Sameness

--- Opens the comparison of runs with the one on whose trace their troubles were found.
---@param points alicloud.simulation.Point[]
---@return alicloud.simulation.Sameness
function M.open(points)
  local own = setmetatable({ base = {}, last = 0 }, Sameness)
  for _, point in ipairs(points) do
    if point.kind == "request" then own.base[point.n], own.last = point, point.n end
  end
  return own
end

local INERT = { hostile = true, outages = true, blips = true }
local INERT_STATES = { failing = true, overloaded = true }

--- Whether a trouble only has an effect when somebody asks. A dark region also stops copying, and
--- interference by others changes the world at once.
---@param trouble alicloud.simulation.Trouble
---@return boolean
function M.is_inert(trouble)
  return INERT[trouble.kind]
    or trouble.kind == "regions" and INERT_STATES[trouble.state] or false
end

-- Whether a request counts towards the look that will be odd.
local function counts(trouble, point)
  return trouble.name == "odd_look" and trouble.change.odd_look > 1
    and point.action == "DescribeDiskReplicaGroups"
end

local function differs(trouble, own, point)
  return not own or own.action ~= point.action or own.time ~= point.time
    or own.answer ~= point.answer or point.mutating or counts(trouble, point)
end

-- Number and time of the first request by which the run can notice the trouble.
local function find_till(same, trouble, points, ends)
  local mine = M.open(points)
  for n = trouble.request, math.max(same.last, mine.last) do
    local point = same.base[n]
    if not point then return n, -math.huge end
    if ends and point.time >= ends or differs(trouble, mine.base[n], point) then
      return n, point.time
    end
  end
  return math.maxinteger, math.huge
end

local function times_of(stage, first)
  local times = {}
  for n = first, #stage.requests do times[#times + 1] = stage.requests[n].time end
  return times
end

--- Adds a run that was made.
---@param trouble alicloud.simulation.Trouble that has come at a request
---@param points alicloud.simulation.Point[] of its run
---@param rehearsal alicloud.simulation.Rehearsal
function Sameness:note(trouble, points, rehearsal)
  local since = self.base[trouble.request].time
  local ends = trouble.lasts and since + trouble.lasts
  if not self:is_known(trouble) then
    self.from, self.runs = since, {}
    self.till, self.till_time = find_till(self, trouble, points, ends)
  end
  table.insert(self.runs, { trouble = trouble, ends = ends, ended = rehearsal.last.ended,
    times = times_of(rehearsal.stage, trouble.request) })
end

-- Whether the runs so far can stand for a trouble that comes at its request.
function Sameness:is_known(trouble)
  if not self.till or trouble.request > self.till then return false end
  return M.is_inert(trouble) or self.base[trouble.request].time == self.from
end

local function asks_between(run, from, to)
  for _, time in ipairs(run.times) do
    if time >= from and time < to then return true end
  end
  return false
end

local function rule_of_two(run, trouble, ends)
  if not ends or run.ends == ends then return "moment" end
  local from, to = math.min(run.ends, ends), math.max(run.ends, ends)
  if not M.is_inert(trouble) then return run.ended < from and "ended" or nil end
  if asks_between(run, from, to) then return nil end
  return run.ended < from and "ended" or "covered"
end

--- The rule by which a trouble needs no run of its own, and the trouble whose run stands for it.
---@param trouble alicloud.simulation.Trouble
---@return string|nil rule of `enumerate.RULES`; nil: it needs a run
---@return alicloud.simulation.Trouble|nil same nil: the run without troubles stands for it
function Sameness:rule_of(trouble)
  if not self:is_known(trouble) then return nil end
  local ends = trouble.lasts and self.base[trouble.request].time + trouble.lasts
  if M.is_inert(trouble) and ends <= self.till_time then return "unseen" end
  for _, run in ipairs(self.runs) do
    local rule = rule_of_two(run, trouble, ends)
    if rule then return rule, run.trouble end
  end
  return nil
end

return M
