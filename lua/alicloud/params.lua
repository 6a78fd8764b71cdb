--- Parameters of an operation: checked against the service data before anything is sent, then
--- flattened to names and strings exactly as the vendor's SDKs flatten them, because the flat form
--- is what gets signed.

local core = require "alicloud.core"
local options = require "alicloud.options"

local M = {}

local show = options.show
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

--- The length of a list, nil for a map.
local function list_length(value)
  local count, largest, names = 0, 0, 0
  for key in pairs(value) do
    if math.type(key) == "integer" and key > 0 then
      count, largest = count + 1, math.max(largest, key)
    else
      names = names + 1
    end
  end
  if count == 0 then return (names == 0 or core.is_array(value)) and 0 or nil end
  if names > 0 then return nil, "it mixes list positions and names" end
  if count ~= largest then
    return nil, "the list has a hole; alicloud.null leaves a position empty"
  end
  return count
end

local flatten_into

local function flatten_list(flat, path, list, length, depth)
  for i = 1, length do
    local ok, message = flatten_into(flat, path .. "." .. i, list[i], depth)
    if not ok then return nil, message end
  end
  return true
end

local function flatten_map(flat, path, map, depth)
  for name, value in pairs(map) do
    if type(name) ~= "string" or name == "" then
      return nil, ("parameter %s: got the name %s; allowed: non-empty text")
        :format(path or "names", show(name))
    end
    local ok, message = flatten_into(flat, path and path .. "." .. name or name, value, depth)
    if not ok then return nil, message end
  end
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
  local length, reason = list_length(value)
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

-- Each format answers true, or false and the allowed form.
local FORMATS = {
  region = { "a region id such as cn-shanghai (lower-case letters, digits and hyphens)",
    function(s) return #s <= 64 and s:find("^[a-z0-9%-]+$") end },
  id = { "an id of 1-64 letters, digits, hyphens, underscores and dots",
    function(s) return #s <= 64 and s:find("^[%w%-_%.]+$") end },
  token = { "1-64 printable ASCII characters",
    function(s) return #s <= 64 and s:find("^[\x20-\x7e]+$") end },
  text = { "text without control characters",
    function(s) return #s <= 4096 and not s:find("%c") end },
}

local function check_format(format, value)
  local entry = FORMATS[format]
  if entry[2](value) then return true end
  return nil, entry[1]
end

local function ids_of(value)
  if type(value) == "table" then
    local length = list_length(value)
    return length and length > 0 and value or nil
  end
  local ids = {}
  for id in (value .. ","):gmatch("(.-),") do ids[#ids + 1] = id end
  return ids
end

local function check_ids(rule, value)
  local max = rule.max_items or 100
  local allowed = ("1-%d ids, comma-separated text or a list"):format(max)
  if type(value) ~= "string" and type(value) ~= "table" then return nil, allowed end
  local ids = ids_of(value)
  if not ids then return nil, allowed end
  if #ids > max then return nil, allowed, ("%d ids"):format(#ids) end
  for _, id in ipairs(ids) do
    if type(id) ~= "string" or not check_format("id", id) then
      return nil, allowed .. ", each " .. FORMATS.id[1], show(id) .. " in the list"
    end
  end
  return true
end

local function check_string(rule, value)
  if type(value) ~= "string" then return nil, "text" end
  if rule.values then
    for _, word in ipairs(rule.values) do
      if word == value then return true end
    end
    return nil, table.concat(rule.values, " or ")
  end
  return check_format(rule.format or "text", value)
end

local function bounds(rule)
  if rule.min and rule.max then return ("an integer from %d to %d"):format(rule.min, rule.max) end
  return rule.min and ("an integer of at least %d"):format(rule.min) or "an integer"
end

local function check_integer(rule, value)
  local number = value
  if type(value) == "string" and value:find("^%-?%d+$") then number = tonumber(value) end
  number = type(number) == "number" and math.tointeger(number)
  if not number then return nil, bounds(rule) end
  if rule.min and number < rule.min or rule.max and number > rule.max then
    return nil, bounds(rule)
  end
  return true
end

local function check_boolean(_, value)
  if type(value) == "boolean" or value == "true" or value == "false" then return true end
  return nil, "true or false"
end

local function check_list(rule, value)
  local max = rule.max_items or 100
  local allowed = ("a list of at most %d"):format(max)
  local length = type(value) == "table" and list_length(value)
  if not length then return nil, allowed end
  if length > max then return nil, allowed, ("%d elements"):format(length) end
  return true
end

local CHECKS = {
  string = check_string,
  integer = check_integer,
  boolean = check_boolean,
  ids = check_ids,
  list = check_list,
}

local function check_one(name, rule, value)
  local ok, allowed, got = CHECKS[rule.type](rule, value)
  if ok then return true end
  return nil, ("parameter %s: got %s; allowed: %s"):format(name, got or show(value), allowed)
end

local function unknown_name(operation, params)
  local wrong
  for name in pairs(params) do
    if not operation.params[name] and (not wrong or tostring(name) < tostring(wrong)) then
      wrong = name
    end
  end
  if wrong == nil then return nil end
  return ("unknown parameter %s%s"):format(show(wrong),
    options.did_you_mean(wrong, operation.params))
end

--- Checks parameters against the data of an operation. Ids are opaque: only their alphabet and
--- length are checked, so that a new id shape of the service does not lock us out.
---@param operation table an entry of `operations` in the service data
---@param params table as the caller gave them, PascalCase
---@return boolean|nil ok
---@return string? message names the parameter, the value and what is allowed
function M.validate(operation, params)
  local stranger = unknown_name(operation, params)
  if stranger then return nil, stranger end
  local complaint, first
  for name, rule in pairs(operation.params) do
    local value = params[name]
    local ok, message
    if value == nil or value == null then
      ok, message = not rule.required, ("parameter %s is required"):format(name)
    else
      ok, message = check_one(name, rule, value)
    end
    if not ok and (not first or name < first) then first, complaint = name, message end
  end
  if first then return nil, complaint end
  return true
end

--- Brings checked parameters into the shape that is flattened: lists of ids become one
--- comma-separated string, which is how this API takes them.
---@param operation table
---@param params table
---@return table copy
function M.shape(operation, params)
  local copy = {}
  for name, value in pairs(params) do
    local rule = operation.params[name]
    local joined = rule and rule.type == "ids" and type(value) == "table" and value ~= null
    copy[name] = joined and table.concat(value, ",") or value
  end
  return copy
end

--- Whether text may serve as a ClientToken.
---@param token any
---@return boolean|nil ok
---@return string? complaint
function M.check_token(token)
  if type(token) == "string" and check_format("token", token) then return true end
  return nil, ("got %s; allowed: %s"):format(show(token), FORMATS.token[1])
end

return M
