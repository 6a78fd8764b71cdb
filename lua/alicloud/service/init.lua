--- Products as data: which operations they have, and which of these only read.

local core = require "alicloud.core"

local M = {}

-- The products whose data comes with this library.
local PRODUCTS = { "ebs", "ecs", "sts" }

local absent = {}

local function find(product)
  local name = "alicloud.service." .. product
  -- Looked up without `require`: every call comes here, also after a program has replaced that.
  local data = package.loaded[name]
  if data == nil then
    local ok
    ok, data = pcall(require, name)
    if not ok then
      if tostring(data):find("module '" .. name .. "' not found", 1, true) then return nil end
      error(data, 0)
    end
  end
  -- Other modules of this folder, such as parameters, are no products.
  return type(data) == "table" and data.operations and data or nil
end

--- The data of a product, loaded when it is first asked for; nil if there is none.
---@param product string
---@return table|nil
function M.data(product)
  if absent[product] then return nil end
  local data = find(product)
  absent[product] = data == nil
  return data
end

local reading

--- The operations that only read, of all products with data, in the versions of the data. The set
--- is made once, so later changes to the data have no effect. An operation that hands out
--- credentials does not count as reading.
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

--- Whether an operation is known to only read. An unknown operation counts as a change.
---@param product string
---@param action string
---@param version string
---@return boolean
function M.reads(product, action, version)
  local data = M.data(product)
  return data ~= nil and data.version == version and M.reading():has(version, action)
end

local function edit_distance(left, right)
  local row = {}
  for j = 0, #right do row[j] = j end
  for i = 1, #left do
    local diagonal = row[0]
    row[0] = i
    for j = 1, #right do
      local change = diagonal + (left:byte(i) == right:byte(j) and 0 or 1)
      diagonal = row[j]
      row[j] = math.min(change, row[j] + 1, row[j - 1] + 1)
    end
  end
  return row[#right]
end

local TYPO = 2

--- The operation of which a word must be a misspelling, or nil. This is for refusing the word, so
--- it is stricter than the suggestions in messages.
---@param word string
---@param operations table names as keys
---@return string|nil
function M.misspelt(word, operations)
  local found, least = nil, TYPO + 1
  for name in pairs(operations) do
    if math.abs(#name - #word) <= TYPO then
      local distance = edit_distance(word, name)
      local nearer = distance < least or distance == least and found and name < found
      if nearer then found, least = name, distance end
    end
  end
  return found
end

return M
