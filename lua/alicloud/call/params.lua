--- Parameters of an operation: checked against the service data before anything is sent, then
--- flattened to names and strings exactly as the vendor's SDKs flatten them, because the flat form
--- is what gets signed.

local core = require "alicloud.core"
local parameters = require "alicloud.service.parameters"
local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

local show = schema.show
local null = core.null
local MAX_DEPTH = 32

-- JavaScript's number formatting, which the vendor's SDKs put on the wire: shortest digits that
-- read back the same, positional notation from 1e-6 up to 1e21.
local function shortest(value)
  for digits = 0, 16 do
    local text = ("%." .. digits .. "e"):format(value):gsub(",", ".")
    if tonumber(text) == value then return text end
  end
end

local function float_text(value)
  local sign, whole, fraction, exponent = shortest(value):match("^(%-?)(%d)%.?(%d*)e([-+]%d+)$")
  local digits = (whole .. fraction):gsub("0+$", "")
  local point = tonumber(exponent) + 1
  if point > 21 or point < -5 then
    local mantissa = #digits > 1 and digits:sub(1, 1) .. "." .. digits:sub(2) or digits
    return ("%s%se%+d"):format(sign, mantissa, point - 1)
  end
  if point <= 0 then return sign .. "0." .. ("0"):rep(-point) .. digits end
  if #digits <= point then return sign .. digits .. ("0"):rep(point - #digits) end
  return sign .. digits:sub(1, point) .. "." .. digits:sub(point + 1)
end

local function number_text(value)
  if value ~= value or value == math.huge or value == -math.huge then
    return nil, ("got %s; allowed: a finite number"):format(value ~= value and "NaN" or "infinity")
  end
  local integer = math.tointeger(value)
  if integer then return ("%d"):format(integer) end
  return float_text(value)
end

local function scalar_text(value)
  local kind = type(value)
  if kind == "string" then return value end
  if kind == "boolean" then return tostring(value) end
  if kind == "number" then return number_text(value) end
  return nil, ("got a %s; allowed: text, number, boolean, list or map"):format(kind)
end

local flatten_into

local function flatten_list(flat, path, list, length, depth)
  for i = 1, length do
    local ok, message = flatten_into(flat, path .. "." .. i, list[i], depth)
    if not ok then return nil, message end
  end
  return true
end

-- Of several faults the least is told, so that it is the same one every time.
local function flatten_map(flat, path, map, depth)
  local least
  for name, value in pairs(map) do
    local ok, message
    if type(name) == "string" and name ~= "" then
      ok, message = flatten_into(flat, path and path .. "." .. name or name, value, depth)
    else
      message = ("parameter %s: got the name %s; allowed: non-empty text"):format(path or "names",
        show(name))
    end
    if not ok and (not least or message < least) then least = message end
  end
  if least then return nil, least end
  return true
end

function flatten_into(flat, path, value, depth)
  if value == null then return true end
  if type(value) ~= "table" then
    local text, reason = scalar_text(value)
    if not text then return nil, ("parameter %s: %s"):format(path, reason) end
    flat[path] = text
    return true
  end
  if depth >= MAX_DEPTH then
    return nil, ("parameter %s: nested deeper than %d levels"):format(path, MAX_DEPTH)
  end
  local length, reason = tables.list_length(value)
  if reason then return nil, ("parameter %s: %s"):format(path, reason) end
  if length then return flatten_list(flat, path, value, length, depth + 1) end
  return flatten_map(flat, path, value, depth + 1)
end

--- Flattens nested parameters: `Tag = {{ Key = "a" }}` becomes `Tag.1.Key`. `alicloud.null` is
--- dropped but uses up its list position; empty lists and maps contribute nothing.
--- Source: the vendor's SDKs, see the signing vectors.
---@param params table
---@return table<string, string>|nil flat
---@return string? message names the parameter by its path
function M.flatten(params)
  local flat = {}
  local ok, message = flatten_map(flat, nil, params, 0)
  if not ok then return nil, message end
  return flat
end

local SHAPES = {
  ids = function(list) return table.concat(list, ",") end,
  json_ids = function(list) return core.encode(core.array { table.unpack(list) }) end,
}

--- Brings checked parameters into the shape that is flattened: a list of ids becomes one text,
--- comma-separated or a JSON array, as the operation takes it.
---@param operation table
---@param params table
---@return table copy
function M.shape(operation, params)
  local copy = {}
  for name, value in pairs(params) do
    local rule = operation.params[name]
    local shape = rule and type(value) == "table" and value ~= null and SHAPES[rule.type]
    copy[name] = shape and shape(value) or value
  end
  return copy
end

-- Brings parameters into the flat form, in place; only nested ones need a new table.
local function to_flat(operation, params)
  local nested = false
  for name, value in next, params do
    local kind = type(value)
    if kind == "table" or kind == "userdata" then
      nested = true
    elseif kind ~= "string" then
      local text, reason = scalar_text(value)
      if not text then return nil, ("parameter %s: %s"):format(name, reason) end
      params[name] = text
    end
  end
  if not nested then return params end
  return M.flatten(M.shape(operation, params))
end

--- Checks parameters against the data of an operation and brings them into the flat form. It may
--- change the table and return it as the result.
---@param operation table|nil an entry of `operations` in the service data; nil: nothing is known
---@param params table as the caller gave them, PascalCase
---@return table<string, string>|nil flat
---@return string? message names the parameter, the value and what is allowed
function M.validate(operation, params)
  if not operation then return M.flatten(params) end
  local ok, message = parameters.check_fields(operation.params, params)
  if ok and operation.depends then
    ok, message = parameters.check_dependencies(operation, params)
  end
  if not ok then return nil, message end
  return to_flat(operation, params)
end

local TOKEN = { type = "string", format = "token" }

--- Whether text may serve as a ClientToken.
---@param token any
---@return boolean|nil ok
---@return string? message
function M.check_token(token)
  return parameters.check("ClientToken", TOKEN, token)
end

return M
