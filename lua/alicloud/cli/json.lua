--- JSON that is safe to look at: what a terminal would obey or hide is written as an escape.

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

-- A copy that can be encoded, of what a playbook or somebody's transport has put into an error.
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

--- Encodes a value on one line. What `terminal.clean` would make visible is escaped; below U+0020
--- the encoder does that itself, and puts U+FFFD in the place of what is no UTF-8. What JSON cannot
--- hold becomes text: no result is lost for it.
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
