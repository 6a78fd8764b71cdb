--- What an answer shows that its operation's data does not say: fields, words of a status, codes,
--- times, counts. It is told (alicloud.base.differences) and changes nothing. Only operations are
--- looked at whose data is whole, and of long lists only some items as deeply as their fields.

local fields = require "alicloud.base.fields"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local services = require "alicloud.service"
local tables = require "alicloud.base.tables"

---@module "alicloud.call.state_order"
local state_order = lazy.module "alicloud.call.state_order"
---@module "alicloud.service.ebs.states"
local documented = lazy.module "alicloud.service.ebs.states"

local M = {}

-- Items of a list whose fields are looked at.
local MOST_ITEMS = 20
-- Seconds up to here are of the years before 5138, milliseconds from here on of those after 1973.
local FIRST_MILLISECONDS = 1e11

---@class alicloud.call.Shape
---@field fields table<string, alicloud.call.Shape> what an object may have
---@field is_list boolean?
---@field times string[] its fields that are unix seconds

local function new_shape() return { fields = {}, times = {} } end

local function add_path(shape, path, unit)
  for name, list in path:gmatch "([^%.%[]+)(%[?%]?)" do
    if unit == "unix s" and path:sub(-#name) == name then
      shape.times[#shape.times + 1] = name
    end
    shape.fields[name] = shape.fields[name] or new_shape()
    shape = shape.fields[name]
    shape.is_list = shape.is_list or list ~= ""
  end
end

local shapes = setmetatable({}, { __mode = "k" })

local function shape_of(operation)
  if shapes[operation] then return shapes[operation] end
  local shape = new_shape()
  for _, field in ipairs(operation.response) do add_path(shape, field[1], field[3]) end
  shapes[operation] = shape
  return shape
end

local compare_fields

-- Some items of a long list: the first, the last, and as many between them as there is patience.
local function compare_items(watch, shape, list, path)
  local step = math.max(1, (#list - 1) // (MOST_ITEMS - 1))
  for i = 1, #list, step do compare_fields(watch, shape, list[i], path) end
  if step > 1 then compare_fields(watch, shape, list[#list], path) end
end

function compare_fields(watch, shape, object, path)
  if type(object) ~= "table" then return end
  for _, name in ipairs(shape.times) do
    local number = fields.number(object[name])
    if number and number >= FIRST_MILLISECONDS then
      watch:note("times_in_seconds", ("%s of %s looks like milliseconds"):format(name,
        watch.plan.action))
    end
  end
  for name, value in next, object do
    local known = shape.fields[name]
    if not known then
      watch:note("answer_fields", ("%s answers a field %s%s"):format(watch.plan.action, path, name))
    elseif type(value) == "table" and next(known.fields) then
      local inner = path .. name .. (known.is_list and "[]." or ".")
      if known.is_list and #value > 0 then
        compare_items(watch, known, value, inner)
      else
        compare_fields(watch, known, value, inner)
      end
    end
  end
end

local function records_of(plan, answer)
  local paging = plan.operation.paging
  local list = paging and tables.at(answer, paging.items)
  if type(list) ~= "table" then return nil end
  local records = {}
  for _, record in ipairs(list) do
    if type(record) == "table" then records[#records + 1] = record end
  end
  return records
end

local words_of = {}

local function known_words(whose)
  words_of[whose] = words_of[whose] or tables.set(documented[whose])
  return words_of[whose]
end

local function compare_words(watch, whose, records)
  local known = known_words(whose)
  for _, record in ipairs(records) do
    local word = record.Status
    if type(word) == "string" and not known[word] then
      watch:note("status_words", ("the status %q of a %s"):format(word, whose))
    end
  end
end

-- What region and site a record is for, as it is now.
local function compare_site(watch, records)
  local params = watch.plan.flat
  local site, region = params.Site or "production", params.RegionId
  for _, record in ipairs(records) do
    local from = record.SourceRegionId or record.SourceRegion
    local to = record.DestinationRegionId or record.DestinationRegion
    local here, there = from, to
    if site == "backup" then here, there = to, from end
    if from and to and here ~= region and there == region then
      watch:note("site_direction", ("asked with Site=%s, %s shows what goes from %s to %s"):format(
        site, region, from, to))
    end
  end
end

local function named(list)
  if type(list) ~= "table" then return nil end
  local count = 0
  for _, element in ipairs(list) do
    for _ in tostring(element):gmatch "[^,%s]+" do count = count + 1 end
  end
  return count
end

local function compare_counts(watch, records)
  for _, record in ipairs(records) do
    local count, names = fields.count(record.PairNumber), named(record.PairIds)
    if count and names and count ~= names then
      watch:note("pair_count", ("%s counts %d pairs and names %d"):format(
        fields.text(record.ReplicaGroupId) or "a group", count, names))
    end
  end
end

-- The total is said to count with numbered pages only.
local function compare_total(watch, records, answer)
  local total, params = fields.count(answer.TotalCount), watch.plan.flat
  if not total or params.NextToken or params.MaxResults then return end
  local page = tonumber(params.PageNumber) or 1
  local least = #records > 0 and (page - 1) * (tonumber(params.PageSize) or 10) + #records or 0
  if total < least then
    watch:note("total_count", ("%s counts %d and shows %d"):format(watch.plan.action, total, least))
  end
end

local ID = { group = "ReplicaGroupId", pair = "ReplicaPairId" }

local function compare_order(watch, whose, records, progress)
  local params = watch.plan.flat
  state_order.compare(watch.differences, { id = ID[whose], whose = whose,
    place = ("%s %s"):format(params.RegionId, params.Site), began = progress.started,
    now = watch.context.loop.now() }, records)
end

local function compare(watch, answer, progress)
  local plan = watch.plan
  compare_fields(watch, shape_of(plan.operation), answer, "")
  local records, whose = records_of(plan, answer), plan.operation.shows
  if not records then return end
  compare_total(watch, records, answer)
  if not whose then return end
  compare_words(watch, whose, records)
  if whose == "drill" then return end
  compare_site(watch, records)
  compare_counts(watch, records)
  compare_order(watch, whose, records, progress)
end

local Watch = {}
Watch.__index = Watch

function Watch:note(assumption, text)
  self.differences:note(assumption, text)
end

local function watch_of(context, plan)
  return setmetatable({ context = context, plan = plan, differences = context.shared.differences },
    Watch)
end

--- Looks at what a reading call was answered.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param progress alicloud.call.Progress
---@param answer table
function M.of_answer(context, plan, progress, answer)
  guard.call(compare, watch_of(context, plan), answer, progress)
end

-- Layers that all products share give their codes, whatever the tables of the product say.
local function is_listed(data, code)
  return data.errors[code] ~= nil or services.data("ebs").errors[code] ~= nil
end

--- Looks at a refusal. What throttles has many names, and each means the same.
---@param context alicloud.call.Context
---@param plan alicloud.plan
---@param failure table as core.read gives it
function M.of_refusal(context, plan, failure)
  local data, code = plan.data, failure.code
  if not (data and data.errors) or failure.retry_class == "throttle" then return end
  if code:find "^Client%." or is_listed(data, code) then return end
  watch_of(context, plan):note("codes", ("%s is refused with %s (%s)"):format(plan.action, code,
    tostring(failure.status)))
end

return M
