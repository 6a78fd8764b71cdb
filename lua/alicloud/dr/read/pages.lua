--- Reads every record of a paged list, or nothing: a list that stops in the middle is not a shorter
--- list.

local metas = require "alicloud.base.meta"
local pager = require "alicloud.client.pager"
local tables = require "alicloud.base.tables"
local services = require "alicloud.service"

local M = {}

local function only_records(items)
  local records = {}
  for _, record in ipairs(items) do
    if type(record) == "table" then records[#records + 1] = record end
  end
  return records
end

local known = {}

-- What there is to know of an operation, worked out once.
local function operation_of(name)
  if known[name] then return known[name] end
  local product, action = name:match("^(%w+):(%w+)$")
  known[name] = { paging = services.data(product).operations[action].paging,
    scope = { product = product, action = action } }
  return known[name]
end

--- Reads all pages. What the first answer says of itself, its time above all, holds for the whole.
---@param client alicloud.Client
---@param name string e.g. "ebs:DescribeDiskReplicaGroups"
---@param params table
---@param options table of each call
---@return table[]|nil records
---@return alicloud.Error? err
---@return alicloud.Meta? meta of the first page
function M.all(client, name, params, options)
  local operation = operation_of(name)
  local first, err = pager.all(function(page_params)
    return client:call(name, page_params, options)
  end, operation.paging, params, operation.scope)
  if not first then return nil, err end
  return only_records(tables.at(first, operation.paging.items) or {}), nil, metas.of(first)
end

return M
