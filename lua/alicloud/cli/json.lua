--- JSON that is safe to look at: what a terminal would obey or hide is written as an escape.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"

local M = {}

local function escape(code)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  local offset = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xd800 + (offset >> 10), 0xdc00 + (offset & 0x3ff))
end

--- Encodes a value on one line. What `terminal.clean` would make visible is escaped; below U+0020
--- the encoder does that itself.
---@param value any
---@return string
function M.encode(value)
  return (core.encode(value):gsub("[\x7f\xc2-\xf4][\x80-\xbf]*", function(bytes)
    local code = utf8.len(bytes) == 1 and utf8.codepoint(bytes)
    return code and (code == 0x7f or errors.is_unseen(code)) and escape(code) or nil
  end))
end

return M
