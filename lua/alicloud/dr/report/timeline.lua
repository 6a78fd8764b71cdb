--- Lays out the timeline of a run: lanes with bars, marks, and a scale. Long times between two
--- processes of a run, in which nothing happened, are compressed.

local plain = require "alicloud.dr.report.plain"

local M = {}

-- An idle time longer than this share of the work is shown as this share.
local IDLE_SHARE = 0.08
local MOST_TICKS = 5
local NICE = { 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 43200,
  86400, 172800, 604800, 2592000 }

---@class alicloud.dr.TimelineBar
---@field entry alicloud.dr.EvidenceStep
---@field label string without the lane's name
---@field from number unix seconds
---@field to number
---@field cut boolean? its process was killed

---@class alicloud.dr.TimelineMark
---@field at number
---@field kind "no_return"|"data_ready"|"old_side_fenced"|"verified"|"process"
---@field label string

---@class alicloud.dr.Timeline
---@field lanes { name: string?, rows: { label: string, entry: table, bars: table[] }[] }[]
---@field marks alicloud.dr.TimelineMark[] by time
---@field ticks { at: number, label: string }[]
---@field gaps { from: number, to: number }[] times that are compressed
---@field place fun(at: number): number position of a time, 0 to 100

local function rows_of(model)
  local lanes, by_name = {}, {}
  for _, entry in ipairs(model.steps) do
    local name = entry.lane or ""
    local lane = by_name[name]
    if not lane then
      lane = { name = entry.lane, rows = {} }
      by_name[name], lanes[#lanes + 1] = lane, lane
    end
    local bars = {}
    for i, span in ipairs(entry.spans) do
      bars[i] = { from = span.from, to = span.to or model.ended_at, cut = span.cut }
    end
    lane.rows[#lane.rows + 1] = { label = entry.step:match("[^/]*$"), entry = entry, bars = bars }
  end
  return lanes
end

local FINISH = { { "data_ready", "data ready" }, { "old_side_fenced", "old side fenced" },
  { "verified", "service answers" } }

local function marks_of(model)
  local marks = {}
  local function add(at, kind, label)
    if at then marks[#marks + 1] = { at = at, kind = kind, label = label } end
  end
  if model.no_return then add(model.no_return.at, "no_return", "point of no return") end
  for _, line in ipairs(FINISH) do add(model.finish[line[1]], line[1], line[2]) end
  for i = 2, #model.processes do
    local process = model.processes[i]
    add(process.at, "process", "resumed by " .. plain.clean(process.owner or "?", 24))
  end
  table.sort(marks, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.kind < b.kind
  end)
  return marks
end

local function idle_times(model)
  local idle, total = {}, 0
  for i = 2, #model.processes do
    local from, to = model.processes[i - 1].ended_at, model.processes[i].at
    if from and to > from then
      idle[#idle + 1] = { from = from, to = to }
      total = total + to - from
    end
  end
  return idle, total
end

-- The compressed gaps, and the function that gives the position of a time. A gap counts as the time
-- that it is shown as.
local function scale(model)
  local idle, total = idle_times(model)
  local work = math.max(model.elapsed - total, 0.001)
  local gaps, shown = {}, work * IDLE_SHARE
  for _, gap in ipairs(idle) do
    if gap.to - gap.from > shown then gaps[#gaps + 1] = gap end
  end
  local function distance(at)
    local sum = at - model.began_at
    for _, gap in ipairs(gaps) do
      local inside = math.min(math.max(at - gap.from, 0), gap.to - gap.from)
      sum = sum - inside + inside / (gap.to - gap.from) * shown
    end
    return sum
  end
  local whole = math.max(distance(model.ended_at), 0.001)
  return gaps, function(at)
    return math.min(100, math.max(0, distance(at) / whole * 100))
  end
end

local function in_gap(gaps, at)
  for _, gap in ipairs(gaps) do
    if at > gap.from and at < gap.to then return true end
  end
  return false
end

local function ticks_of(model, gaps, place)
  local every = NICE[#NICE]
  local work = model.elapsed
  for _, gap in ipairs(gaps) do work = work - (gap.to - gap.from) end
  for _, step in ipairs(NICE) do
    if work / step <= MOST_TICKS then
      every = step
      break
    end
  end
  local ticks, last = {}, -100
  local offset = 0
  while offset <= model.elapsed and #ticks <= 2 * MOST_TICKS do
    local at = model.began_at + offset
    local x = place(at)
    if not in_gap(gaps, at) and x - last >= 100 / MOST_TICKS / 2 then
      ticks[#ticks + 1] = { at = at, label = offset == 0 and "0" or "+" .. plain.duration(offset) }
      last = x
    end
    offset = offset + every
    for _, gap in ipairs(gaps) do
      local begins, ends = gap.from - model.began_at, gap.to - model.began_at
      if offset > begins and offset < ends then offset = math.ceil(ends / every) * every end
    end
  end
  return ticks
end

--- Lays a run out.
---@param model alicloud.dr.EvidenceModel
---@return alicloud.dr.Timeline
function M.layout(model)
  local gaps, place = scale(model)
  return { lanes = rows_of(model), marks = marks_of(model), gaps = gaps, place = place,
    ticks = ticks_of(model, gaps, place) }
end

return M
