--- The object that is raised to end a run, or one branch of it; it passes through user code.

local errors = require "alicloud.base.error"
local forces = require "alicloud.dr.model.force"

local M = {}

---@class alicloud.dr.Stop
---@field err alicloud.Error why it ends
---@field whole boolean true: the whole run ends; false: only a branch

local metatable = {
  __name = "alicloud.dr.Stop",
  __tostring = function(stop) return errors.text_of(stop.err) end,
}

---@param err alicloud.Error
---@param whole boolean
---@return alicloud.dr.Stop
function M.new(err, whole)
  return setmetatable({ err = err, whole = whole }, metatable)
end

---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == metatable
end

-- Whether an error object is well-formed: user code may have changed its fields.
local function is_sound(err)
  for _, name in ipairs { "kind", "code", "message", "hint" } do
    if err[name] ~= nil and type(err[name]) ~= "string" then return false end
  end
  return err.kind and err.code and err.message
end

--- Turns whatever a step returned or raised into an error object.
---@param raised any
---@param step string
---@return alicloud.Error
function M.error_of(raised, step)
  if M.is(raised) then raised = raised.err end
  if errors.is_error(raised) then return is_sound(raised) and raised or errors.new(raised) end
  return errors.new {
    kind = "state", code = "Client.StepFailed", step = step,
    message = raised == nil and "no reason given" or errors.words_of(raised),
  }
end

local KEPT = { "kind", "code", "message", "outcome", "hint", "product", "action", "region",
  "group_id", "request_id", "client_token", "attempts", "status", "again", "parameter",
  "parameter_value" }

local WORDS = { message = true, hint = true }

-- The findings that a person may overrule.
local function forcible(err)
  local codes = {}
  for _, code in ipairs(type(err.forcible) == "table" and err.forcible or {}) do
    if forces.is_forcible(code) then codes[#codes + 1] = code end
  end
  return #codes > 0 and codes or nil
end

--- The fields of an error that a journal keeps, as texts, numbers and a list of codes.
---@param err alicloud.Error
---@return table
function M.plain(err)
  local kept = {}
  for _, name in ipairs(KEPT) do
    local value = err[name]
    local number = type(value) == "number" and not WORDS[name]
    if value ~= nil then kept[name] = number and value or errors.words_of(value) end
  end
  kept.forcible = forcible(err)
  return kept
end

return M
