--- JSON that is safe to look at: what a terminal would obey or hide is written as an escape.

local core = require "alicloud.core"

local M = {}

local function escape(code)
  if code < 0x10000 then return ("\\u%04x"):format(code) end
  local offset = code - 0x10000
  return ("\\u%04x\\u%04x"):format(0xd800 + (offset >> 10), 0xdc00 + (offset & 0x3ff))
end

-- The same characters that `terminal.clean` makes visible; the encoder itself escapes those below
-- U+0020.
local function is_harmful(code)
  return code >= 0x7f and code < 0xa0 or code == 0x61c or code >= 0x200e and code <= 0x200f
    or code >= 0x2028 and code <= 0x202e or code >= 0x2066 and code <= 0x2069 or code == 0xfeff
    or code == 0xfffe or code == 0xffff
    or code >= 0xe0000 and code <= 0xe007f
end

--- Encodes a value on one line.
---@param value any
---@return string
function M.encode(value)
  return (core.encode(value):gsub("[\x7f\xc2\xd8\xe2\xef\xf3][\x80-\xbf]*", function(bytes)
    local code = utf8.len(bytes) == 1 and utf8.codepoint(bytes)
    return code and is_harmful(code) and escape(code) or nil
  end))
end

return M
