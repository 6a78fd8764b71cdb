--- Notes where an answer differs from the service data: fields, words of a status, codes, times,
--- counts, the order of states. Differences are told (alicloud.base.differences), nothing else.
---
--- Every answer of a poll is checked, so a record that is as in the look before is passed over: one
--- with the same status, the expected region, a time in seconds and as many pairs as it counts.

local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local services = require "alicloud.service"

---@module "alicloud.call.difference_checks"
local checks = lazy.module "alicloud.call.difference_checks"

local M = {}

-- All fields are checked in the first answers of an operation, then in every sixteenth.
local FIRST_ANSWERS, EACH = 3, 16
local FIRST_MILLISECONDS = 1e11
-- Most records remembered of one operation, region and site, so that long listings stay cheap.
local MOST = 10000

---@class alicloud.call.View how the answers of a reading operation are checked
---@field shape alicloud.call.Shape
---@field items string? name of the list of records
---@field whose "group"|"pair"|"drill"|nil what a record describes; nil: none of these
---@field id string? field with the id of a record
---@field from string? field with the region of the source
---@field to string? field with the region of the destination

local KNOWN = {
  group = { id = "ReplicaGroupId", from = "SourceRegionId", to = "DestinationRegionId" },
  pair = { id = "ReplicaPairId", from = "SourceRegion", to = "DestinationRegion" },
  drill = { id = "DrillId" },
}

local views = setmetatable({}, { __mode = "k" })

local function view_of(operation)
  local names = KNOWN[operation.shows] or {}
  local view = { shape = checks.shape(operation), whose = operation.shows, id = names.id,
    from = names.from, to = names.to, items = operation.paging and operation.paging.items }
  views[operation] = view
  return view
end

-- What is remembered of an operation's answers; `look_of`: of the looks at one region and site.
local function memory_of(noted, view)
  local memory = noted.memory[view] or { answers = 0, checked = {} }
  noted.memory[view] = memory
  return memory
end

local function look_of(noted, view, region, site)
  local looks = noted.looks or {}
  noted.looks = looks
  local by_region = looks[view] or {}
  looks[view] = by_region
  local by_site = by_region[region] or {}
  by_region[region] = by_site
  local look = by_site[site] or { words = {}, times = {}, count = 0, region = region,
    here = site == "backup" and view.to or view.from }
  by_site[site] = look
  return look
end

--- Forgets when the records were seen: after a change, earlier states say nothing of the order.
---@param noted alicloud.Differences
function M.begin_anew(noted)
  for _, by_region in pairs(noted.looks) do
    for _, by_site in pairs(by_region) do
      for _, look in pairs(by_site) do
        if next(look.times) then look.times = {} end
      end
    end
  end
end

local function is_usual(record)
  local point, ids = record.LastRecoverPoint, record.PairIds
  return (point == nil or math.type(point) == "integer" and point < FIRST_MILLISECONDS)
    and (ids == nil or type(ids) == "table" and #ids == record.PairNumber)
end

local function remember(look, id, word, now)
  if not look.words[id] then
    if look.count >= MOST then return end
    look.count = look.count + 1
  end
  look.words[id], look.times[id] = word, now
end

-- If two requests were under way together, the order of their answers is not known: no comparison.
local function compare_record(watch, view, memory, record)
  local look, now = watch.look, watch.now
  local id, word = record[view.id], record.Status
  local is_known = type(id) == "string" and type(word) == "string"
  local before, at = look.words[id or ""], look.times[id or ""]
  local later = at ~= nil and at <= watch.began
  checks.record(watch, view, memory.checked, record, later and before or nil, later and now - at)
  if is_known and (later or not at) then remember(look, id, word, now) end
end

-- Whether a record is as it was in the look before; if so, it counts as seen now.
local function pass_over(view, look, record, now)
  local id = record[view.id]
  local word = id and look.words[id]
  if not word or word ~= record.Status or record[look.here] ~= look.region
    or not is_usual(record) then
    return false
  end
  look.times[id] = now
  return true
end

-- The place of the first record that is not as it was in the look before.
local function first_odd(view, look, list, now)
  for i = 1, #list do
    if type(list[i]) ~= "table" or not pass_over(view, look, list[i], now) then return i end
  end
  return nil
end

local function compare(watch, view, memory, plan, answer)
  local list = view.items and answer[view.items]
  if watch.is_deep then
    checks.fields(watch, view.shape, answer, "", view.whose and view.items)
  end
  if type(list) ~= "table" then return end
  if answer.TotalCount ~= nil then checks.total(watch, plan.flat, answer, #list) end
  for i = watch.first, #list do
    local record = list[i]
    if type(record) == "table" and not pass_over(view, watch.look, record, watch.now) then
      compare_record(watch, view, memory, record)
    end
  end
end

--- Checks the answer of a reading call.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@param answer table
function M.of_answer(context, plan, progress, answer)
  local operation, noted, params = plan.operation, context.shared.differences, plan.flat
  local view = views[operation] or view_of(operation)
  local memory = noted.memory[view] or memory_of(noted, view)
  memory.answers = memory.answers + 1
  local is_deep = memory.answers <= FIRST_ANSWERS or memory.answers % EACH == 0
  -- Only records of groups, pairs and drills are followed from look to look.
  if not (view.whose or is_deep or answer.TotalCount ~= nil) then return end
  local region, site = params.RegionId or "", params.Site or "production"
  local now, list = context.loop.now(), view.items and answer[view.items]
  local look = look_of(noted, view, region, site)
  local first = 1
  if look.here and type(list) == "table" then
    first = first_odd(view, look, list, now)
  elseif not view.whose then
    first = nil
  end
  if not is_deep and not first and answer.TotalCount == nil then return end
  guard.call(compare, { differences = noted, action = plan.action, region = region, site = site,
    began = progress.started, now = now, look = look, is_deep = is_deep,
    first = first or math.huge }, view, memory, plan, answer)
end

-- The table of ebs also has the codes of the layers that all products share.
local function is_listed(data, code)
  return data.errors[code] ~= nil or services.data("ebs").errors[code] ~= nil
end

--- Notes a refusal whose code the service data lacks. Throttling is left out: it has many codes
--- that all mean the same.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param failure table as core.read gives it
function M.of_refusal(context, plan, failure)
  local data, code = plan.data, failure.code
  if not (data and data.errors) or failure.retry_class == "throttle" then return end
  if code:find "^Client%." or is_listed(data, code) then return end
  context.shared.differences:note("codes", ("%s is refused with %s (%s)"):format(plan.action, code,
    tostring(failure.status)))
end

return M
