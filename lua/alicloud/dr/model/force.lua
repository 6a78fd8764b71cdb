--- The findings of a pre-check that a person may overrule: what the documents deny but the service
--- may accept, and a list of pairs that lags behind its group, which a call moves as a whole. A
--- refused call costs little; not calling may leave the service down. What cannot be right (the
--- wrong side, another direction, no group, no pair, no pair listed) cannot be overruled.

local schema = require "alicloud.base.schema"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Force
---@field code string of a finding
---@field why string
---@field by string the person who overrules it

--- The codes, in the order of the findings.
M.CODES = { "Client.PairSetIncomplete", "OperationDenied.PairGroupStatusConflict",
  "OperationDenied.InvalidStatus", "Client.FirstSyncUnfinished", "Client.RecoveryPointUnclear",
  "Client.OutageContradicted", "Client.ServerTimeUnknown" }

local KNOWN = tables.set(M.CODES)

--- Whether a code may be overruled.
---@param code any
---@return boolean
function M.is_forcible(code)
  return KNOWN[code] == true
end

local function is_words(value)
  return type(value) == "string" and value:find "%S" ~= nil and not value:find "%c"
end

local function is_force(value)
  return type(value) == "table" and KNOWN[value.code] == true and is_words(value.why)
    and is_words(value.by)
end

--- The rule of the option `force`.
M.OPTION = schema.rule("a list of { code = code, why = reason, by = who }; codes: "
  .. table.concat(M.CODES, ", "), function(value)
  if type(value) ~= "table" then return false end
  local count = 0
  for _, force in pairs(value) do
    if not is_force(force) then return false end
    count = count + 1
  end
  return count == #value
end)

--- The entries of a list but those for a code.
---@param list alicloud.dr.Force[]|nil
---@param code string
---@return alicloud.dr.Force[]|nil
function M.without(list, code)
  if not list then return nil end
  local others = {}
  for _, force in ipairs(list) do
    if force.code ~= code then others[#others + 1] = force end
  end
  return others
end

--- Finds the entry for a code in a list.
---@param list alicloud.dr.Force[]|nil
---@param code string
---@return alicloud.dr.Force|nil
function M.of(list, code)
  for _, force in ipairs(list or {}) do
    if force.code == code then return force end
  end
  return nil
end

return M
