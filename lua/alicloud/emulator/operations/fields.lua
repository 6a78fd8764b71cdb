--- Parameters that create and modify share: names, descriptions, RPO, bandwidth, tags.

local errors = require "alicloud.emulator.gateway.errors"
local find = require "alicloud.emulator.operations.find"

local M = {}

local invalid = errors.invalid

local function text_problem(name, value, low)
  if not value then return nil end
  local high = name == "Description" and 256 or 128
  if #value < low or (utf8.len(value) or #value) > high then
    return invalid(name, "its length is out of bounds")
  end
  if value:find("^https?://") then return invalid(name, "it begins with http:// or https://") end
  return nil
end

local function name_problem(name, value, marks)
  if not value then return nil end
  if not value:find("^[%a\x80-\xff][%w\x80-\xff" .. marks .. "]*$") then
    return invalid(name, "it must begin with a letter and hold letters, digits and " .. marks)
  end
  return text_problem(name, value, 2)
end

local function rpo_problem(value)
  if not value or value == "900" then return nil end
  return invalid("RPO", "only 900 is supported")
end

local BANDWIDTHS = { ["10240"] = true, ["20480"] = true, ["51200"] = true, ["102400"] = true }

local function bandwidth_problem(params)
  local value = params.Bandwidth
  if not value or value == "0" then return nil end
  if not value:find("^%d+$") then return invalid("Bandwidth", "it is not a whole number") end
  if params.ChargeType == "PREPAY" then
    return not BANDWIDTHS[value] and invalid("Bandwidth", "no such bandwidth") or nil
  end
  return nil
end

local PERIODS = { ["1"] = true, ["2"] = true, ["3"] = true, ["6"] = true, ["12"] = true,
  ["24"] = true, ["36"] = true, ["60"] = true }

local function charge_problem(params)
  local kind = params.ChargeType or "POSTPAY"
  if kind ~= "POSTPAY" and kind ~= "PREPAY" then
    return invalid("ChargeType", "it is neither PREPAY nor POSTPAY")
  end
  if kind == "PREPAY" and not PERIODS[params.Period or ""] then
    return invalid("Period", "PREPAY needs one of 1, 2, 3, 6, 12, 24, 36, 60")
  end
  return nil
end

--- Checks the settings of a unit against the documented limits.
---@param params table<string, string>
---@return alicloud.emulator.Refusal|nil
function M.problem(params)
  local rtc, refusal = find.boolean(params, "EnableRtc", false)
  if rtc == nil then return refusal end
  return name_problem("PairName", params.PairName, ":_.-")
    or name_problem("GroupName", params.GroupName, ":_-")
    or text_problem("Description", params.Description, 2)
    or rpo_problem(params.RPO) or bandwidth_problem(params) or charge_problem(params)
end

--- Reads `Tag.N.Key` and `Tag.N.Value`.
---@param params table<string, string>
---@return table<string, string>
function M.tags(params)
  local tags, number = {}, 1
  while params[("Tag.%d.Key"):format(number)] do
    tags[params[("Tag.%d.Key"):format(number)]] = params[("Tag.%d.Value"):format(number)] or ""
    number = number + 1
  end
  return tags
end

--- Whether a request changes how disks are copied, not only names and descriptions.
---@param params table<string, string>
---@return boolean
function M.changes_copying(params)
  return params.RPO ~= nil or params.Bandwidth ~= nil or params.EnableRtc ~= nil
end

--- Writes the given settings into a unit.
---@param unit alicloud.emulator.Unit
---@param params table<string, string>
function M.write(unit, params)
  unit.name = params.PairName or params.GroupName or unit.name
  unit.description = params.Description or unit.description
  unit.rpo = math.tointeger(tonumber(params.RPO)) or unit.rpo
  unit.bandwidth = math.tointeger(tonumber(params.Bandwidth)) or unit.bandwidth
  if params.EnableRtc then unit.rtc = params.EnableRtc:lower() == "true" end
end

return M
