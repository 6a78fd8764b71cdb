--- Redacts answers for the file of a run, as recordings do; what is not proved clean is left out.

local redaction = require "alicloud.conformance.recording.redaction"
local writing = require "alicloud.conformance.recording.writing"

local M = {}

-- Cuts off the part of a message in which the service repeats the signed request, with its key id.
local function shortened(text)
  local cut = text:find("server string to sign", 1, true)
    or text:find("server StringToSign", 1, true) or text:find("server canonical", 1, true)
  return cut and text:sub(1, cut - 1):gsub("%s+$", "") .. " …" or text
end

local DROPPED = "dropped: " .. writing.UNPROVED

local function message(redactor, text)
  local clean = redactor:text(shortened(text))
  return redactor:proves(clean) and clean or DROPPED
end

local function without_echo(value)
  if type(value.Message) ~= "string" then return value end
  local copy = {}
  for name, inner in pairs(value) do copy[name] = inner end
  copy.Message = shortened(copy.Message)
  return copy
end

--- Makes a function that redacts answers and messages of one run.
---@return fun(value: any): any
---@return fun(keys: alicloud.Credentials|nil) take takes keys that no copy may contain
function M.new()
  local redactor = redaction.new()
  local function redact(value)
    if type(value) == "string" then return message(redactor, value) end
    return redactor:clean(without_echo(value)) or { dropped = DROPPED }
  end
  return redact, function(keys) redactor:take_keys(keys) end
end

return M
