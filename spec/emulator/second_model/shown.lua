-- What the two Describe calls show, held against the records.

local model = require "spec.emulator.second_model"

local M = {}

local function value_of(record, from)
  local side, part = from:match "^(%l+) (%l+)$"
  if not side then return record[from] end
  local region, zone = record[side]:match "^(.-)/(.*)$"
  return part == "region" and region or zone
end

local function is_reversed(record) return record.source ~= record.primary end

-- Whether a region and a Site mean a record; nil where the documents do not say.
local function is_meant(record, region, site)
  if is_reversed(record) then return nil end
  local side = site == "backup" and record.destination or record.source
  return side:match "^[^/]+" == region
end

local function check_item(entry, view, item, say)
  local id = item[view.id]
  local record = entry.before[id]
  if not record or record.kind ~= view.of then return say("%s is shown and is not there", id) end
  for field, from in pairs(view.fields) do
    local value = value_of(record, from)
    if item[field] ~= value then
      say("%s: %s is shown as %s, is %s", id, field, item[field], value)
    end
  end
end

--- Looks at the answer of a call, if it is one of the two.
---@param entry table  of a history
---@param say fun(text: string, ...: any)  told of differences
function M.check(entry, say)
  local view = model.shown[entry.action]
  if not view or entry.code or not entry.answer then return end
  local params, seen = entry.params, {}
  local site = params.Site and params.Site ~= "" and params.Site or "production"
  for _, item in ipairs(entry.answer[view.list]) do
    check_item(entry, view, item, say)
    local id = item[view.id]
    local record = entry.before[id]
    if record and is_meant(record, params.RegionId, site) == false then
      say("%s is shown in %s as %s", id, params.RegionId, site)
    end
    seen[id] = true
  end
  for name in pairs(model.set(view.filters)) do
    if params[name] then return end
  end
  for id, record in pairs(entry.before) do
    if record.kind == view.of and not seen[id] and is_meant(record, params.RegionId, site) then
      say("%s is not shown in %s as %s", id, params.RegionId, site)
    end
  end
end

return M
