--- Reads every record of a paged list, or none: a cut list must not be taken for a short one.

local errors = require "alicloud.base.error"
local metas = require "alicloud.base.meta"
local pager = require "alicloud.client.pager"
local tables = require "alicloud.base.tables"
local services = require "alicloud.service"

local M = {}

-- Only tables count as records; null, which is a userdata, is skipped. Any other item is an error,
-- since it may be a record that this version cannot read.
local function only_records(items, scope)
  local records = {}
  for i, record in ipairs(items) do
    local kind = type(record)
    if kind ~= "table" and kind ~= "userdata" then
      return nil, errors.new { kind = "decode", code = "Client.MalformedPage",
        message = ("item %d of the list is a %s, not an object"):format(i, kind),
        product = scope.product, action = scope.action }
    end
    records[#records + 1] = kind == "table" and record or nil
  end
  return records
end

local known = {}

-- Paging and names of an operation, looked up once.
local function operation_of(name)
  if known[name] then return known[name] end
  local product, action = name:match("^(%w+):(%w+)$")
  known[name] = { paging = services.data(product).operations[action].paging,
    scope = { product = product, action = action } }
  return known[name]
end

--- Reads all pages. The meta data of the first answer, with its time, holds for the whole list.
---@param client alicloud.Client
---@param name string e.g. "ebs:DescribeDiskReplicaGroups"
---@param params table
---@param options table options of each call
---@return table[]|nil records
---@return alicloud.Error? err
---@return alicloud.Meta? meta of the first page
function M.all(client, name, params, options)
  local operation = operation_of(name)
  local first, err = pager.all(function(page_params)
    return client:call(name, page_params, options)
  end, operation.paging, params, operation.scope)
  if not first then return nil, err end
  local records
  records, err = only_records(tables.at(first, operation.paging.items) or {}, operation.scope)
  if not records then return nil, err end
  return records, nil, metas.of(first)
end

---@class alicloud.dr.PageRead
---@field records table[]
---@field meta alicloud.Meta of the answer with these records
---@field began number monotonic seconds, when the call began

--- Reads all pages, and keeps them apart, each with the meta data of its answer.
---@param client alicloud.Client
---@param name string
---@param params table
---@param options table options of each call
---@return alicloud.dr.PageRead[]|nil
---@return alicloud.Error? err
function M.apart(client, name, params, options)
  local operation, list, fault = operation_of(name), {}, nil
  local first, err = pager.all(function(page_params)
    local began = client.loop.now()
    local answer, failure = client:call(name, page_params, options)
    if not answer then return nil, failure end
    local items, records = tables.at(answer, operation.paging.items), nil
    if type(items) == "table" then
      records, fault = only_records(items, operation.scope)
      if not records then return nil, fault end
    end
    list[#list + 1] = { records = records or {}, meta = metas.of(answer), began = began }
    return answer
  end, operation.paging, params, operation.scope)
  if not first then return nil, err end
  return list
end

return M
