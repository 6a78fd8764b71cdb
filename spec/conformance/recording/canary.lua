--- Canaries: texts that must not come out of a recording, in every spelling, and what finds them
--- there. The finder is made from the needle, not from the haystack, so that it shares nothing with
--- the search that it proves.

local core = require "alicloud.core"

local M = {}

local function escape_all(text)
  return (text:gsub(".", function(c) return ("%%%02X"):format(c:byte()) end))
end

local function twice(encode)
  return function(text) return core.percent_encode(encode(text)) end
end

--- Ways to write a text down.
---@type table<string, fun(text: string): string>
M.ENCODINGS = {
  plain = function(text) return text end,
  percent = core.percent_encode,
  percent_all = escape_all,
  percent_twice = twice(core.percent_encode),
  percent_all_twice = twice(escape_all),
  base64 = core.base64,
  base64_second = function(text) return core.base64("x" .. text .. "y") end,
  base64_third = function(text) return core.base64("xy" .. text .. "z") end,
  base64_url = function(text)
    return (core.base64(text):gsub("[+/=]", { ["+"] = "-", ["/"] = "_", ["="] = "" }))
  end,
  base64_percent = function(text) return core.percent_encode(core.base64(text)) end,
  hex = core.hex,
  hex_upper = function(text) return core.hex(text):upper() end,
}

-- What every base64 text that has the canary in it has in it, whatever stands before.
local function base64_cores(text)
  local cores = {}
  for before = 0, 2 do
    local whole = core.base64(("\0"):rep(before) .. text)
    local first, last = (before * 8 + 5) // 6 + 1, (before + #text) * 8 // 6
    cores[#cores + 1] = whole:sub(first, last)
  end
  return cores
end

--- Where a canary is left in a text.
---@param text string
---@param canary string
---@param lower? string the text in lower case
---@return string|nil
function M.left(text, canary, lower)
  lower = lower or text:lower()
  local needles = { canary, core.percent_encode(canary), escape_all(canary), core.hex(canary),
    core.percent_encode(core.percent_encode(canary)), core.percent_encode(escape_all(canary)) }
  for _, needle in ipairs(needles) do
    local at = lower:find(needle:lower(), 1, true)
    if at then return text:sub(math.max(1, at - 60), at + #needle + 20) end
  end
  for _, needle in ipairs(base64_cores(canary)) do
    local url = needle:gsub("[+/]", { ["+"] = "-", ["/"] = "_" })
    local at = text:find(needle, 1, true) or text:find(url, 1, true)
    if at then return text:sub(math.max(1, at - 60), at + #needle + 20) end
  end
  return nil
end

return M
