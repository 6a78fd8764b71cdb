--- Encodes JSON that is safe to print: characters that a terminal would obey or hide are escaped.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local tables = require "alicloud.base.tables"

local M = {}

local function escape(code)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  local offset = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xd800 + (offset >> 10), 0xdc00 + (offset & 0x3ff))
end

local DEPTH = 25

-- A copy that JSON can carry, of a value from a playbook or a foreign transport.
local function encodable(value, depth)
  local kind = type(value)
  if kind == "table" and depth == DEPTH then return "[too deep]" end
  if kind ~= "table" then
    local fits = kind == "string" or kind == "boolean" or value == core.null
      or kind == "number" and value - value == 0
    return fits and value or errors.text_of(value)
  end
  local copy, is_list = {}, tables.list_length(value)
  for name, inner in next, value do
    copy[is_list and name or errors.text_of(name)] = encodable(inner, depth + 1)
  end
  return (core.is_array(value) and is_list) and core.array(copy) or copy
end

--- Encodes a value in one line. Characters that `terminal.clean` would make visible are escaped;
--- the encoder itself escapes those below U+0020 and replaces invalid UTF-8 by U+FFFD. A value that
--- JSON cannot hold becomes text, so that no result is lost.
---@param value any
---@return string
function M.encode(value)
  local ok, text = pcall(core.encode, value)
  if not ok then text = core.encode(encodable(value, 0)) end
  return (text:gsub("[\x7f\xc2-\xf4][\x80-\xbf]*", function(bytes)
    local code = utf8.len(bytes) == 1 and utf8.codepoint(bytes)
    return code and (code == 0x7f or errors.is_unseen(code)) and escape(code) or nil
  end))
end

return M
