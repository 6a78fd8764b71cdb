--- Products as data: which operations they have, and which of these only read.

local core = require "alicloud.core"

local M = {}

-- Those whose data comes with this library.
local PRODUCTS = { "ebs", "ecs", "sts" }

local absent = {}

local function load(product)
  local name = "alicloud.service." .. product
  local ok, data = pcall(require, name)
  if not ok then
    if tostring(data):find("module '" .. name .. "' not found", 1, true) then return nil end
    error(data, 0)
  end
  -- Beside the products lies what is said of all of them.
  return type(data) == "table" and data.operations and data or nil
end

--- The data of a product, loaded when first asked for.
---@param product string
---@return table|nil
function M.data(product)
  if absent[product] then return nil end
  local data = load(product)
  absent[product] = data == nil
  return data
end

local reading

--- The operations that only read, of all products with data, in the versions of the data. It is
--- made once, and what becomes of the data later changes nothing. Who gives keys to somebody does
--- not only read.
---@return alicloud.Actions
function M.reading()
  if reading then return reading end
  local list = {}
  for _, product in ipairs(PRODUCTS) do
    local data = M.data(product)
    for action, operation in pairs(data.operations) do
      if not operation.mutating and operation.ram.level ~= "write" then
        list[#list + 1] = data.version .. " " .. action
      end
    end
  end
  reading = core.actions(list)
  return reading
end

--- Whether an operation is known to read. What is unknown here counts as a change.
---@param product string
---@param action string
---@param version string
---@return boolean
function M.reads(product, action, version)
  local data = M.data(product)
  return data ~= nil and data.version == version and M.reading():has(version, action)
end

return M
