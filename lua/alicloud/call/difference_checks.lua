--- Checks records and answers against the service data: those that alicloud.call.differences has
--- not passed over.

local fields = require "alicloud.base.fields"
local documented = require "alicloud.service.ebs.states"
local plural = require "alicloud.base.plural"
local state_order = require "alicloud.call.state_order"
local tables = require "alicloud.base.tables"

local M = {}

-- Numbers below it are seconds, of years before 5138; from it on, milliseconds of times after 1973.
local FIRST_MILLISECONDS = 1e11
-- How many records of each status, and items of a list in an answer, have their fields checked.
local MOST_ITEMS = 3

---@class alicloud.call.Shape
---@field fields table<string, alicloud.call.Shape> the fields that an object may have
---@field is_list boolean?
---@field times string[] those of its fields that are unix seconds

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

--- The fields that the answers of an operation may have.
---@param operation table of the service data
---@return alicloud.call.Shape
function M.shape(operation)
  local shape = new_shape()
  for _, field in ipairs(operation.response) do add_path(shape, field[1], field[3]) end
  return shape
end

---@class alicloud.call.Watch
---@field differences alicloud.Differences
---@field action string
---@field region string?
---@field site string

local function compare_times(watch, shape, object)
  for _, name in ipairs(shape.times) do
    local number = fields.number(object[name])
    if number and number >= FIRST_MILLISECONDS then
      watch.differences:note("times_in_seconds", ("%s of %s looks like milliseconds"):format(name,
        watch.action))
    end
  end
end

--- Notes fields that the shape lacks, in an object and what is in it, and times in milliseconds.
---@param watch alicloud.call.Watch
---@param shape alicloud.call.Shape
---@param object any
---@param path string prefix of the field names: empty, or with a dot at the end
---@param but string? a field whose content is not checked
function M.fields(watch, shape, object, path, but)
  if type(object) ~= "table" then return end
  compare_times(watch, shape, object)
  for name, value in next, object do
    local known = shape.fields[name]
    if not known then
      watch.differences:note("answer_fields", ("%s answers a field %s%s"):format(watch.action, path,
        name))
    elseif name ~= but and type(value) == "table" and next(known.fields) then
      local inner = path .. name .. (known.is_list and "[]." or ".")
      local is_list = known.is_list and #value > 0
      for i = 1, is_list and math.min(#value, MOST_ITEMS) or 0 do
        M.fields(watch, known, value[i], inner)
      end
      if not is_list then M.fields(watch, known, value, inner) end
    end
  end
end

local words_of = {}

local function compare_word(watch, whose, word)
  words_of[whose] = words_of[whose] or tables.set(documented[whose])
  if type(word) == "string" and not words_of[whose][word] then
    watch.differences:note("status_words", ("the status %q of a %s"):format(word, whose))
  end
end

-- Notes a record whose source and destination are swapped for the site that was asked for.
local function compare_site(watch, record)
  local from = record.SourceRegionId or record.SourceRegion
  local to = record.DestinationRegionId or record.DestinationRegion
  local here, there = from, to
  if watch.site == "backup" then here, there = to, from end
  if from and to and here ~= watch.region and there == watch.region then
    watch.differences:note("site_direction", ("asked with Site=%s, %s shows what goes from %s to "
      .. "%s"):format(watch.site, watch.region, from, to))
  end
end

local function compare_counts(watch, record)
  local count, names = fields.count(record.PairNumber), fields.ids(record.PairIds)
  if count and names and count ~= #names then
    watch.differences:note("pair_count", ("%s counts %s and names %d"):format(
      fields.text(record.ReplicaGroupId) or "a group", plural.of(count, "pair"), #names))
  end
end

-- Only the first records of each status have their fields checked; other states have other fields.
local function is_new(checked, record)
  local word = type(record.Status) == "string" and record.Status or ""
  checked[word] = (checked[word] or 0) + 1
  return checked[word] <= MOST_ITEMS
end

--- Checks a record of a group, a pair or a drill.
---@param watch alicloud.call.Watch
---@param view alicloud.call.View
---@param checked table<string, integer> records whose fields were looked at, by status
---@param record table
---@param before string? its status in the look before
---@param seconds number? since the look before
function M.record(watch, view, checked, record, before, seconds)
  local whose, word = view.whose, record.Status
  local shape = view.shape.fields[view.items]
  if is_new(checked, record) then
    M.fields(watch, shape, record, view.items .. "[].")
  else
    compare_times(watch, shape, record)
  end
  compare_word(watch, whose, word)
  if whose == "drill" then return end
  compare_site(watch, record)
  compare_counts(watch, record)
  local text = before and type(word) == "string"
    and state_order.contradiction(whose, before, word, seconds)
  if text then watch.differences:note("state_order", text) end
end

--- Notes a total below what the pages have shown. It is documented for numbered pages only.
---@param watch alicloud.call.Watch
---@param params table<string, string> as they were sent
---@param answer table
---@param shown integer records on the page
function M.total(watch, params, answer, shown)
  local total = fields.count(answer.TotalCount)
  if not total or params.NextToken or params.MaxResults then return end
  local page = tonumber(params.PageNumber) or 1
  local least = shown > 0 and (page - 1) * (tonumber(params.PageSize) or 10) + shown or 0
  if total < least then
    watch.differences:note("total_count", ("%s counts %d and shows %d"):format(watch.action, total,
      least))
  end
end

return M
