--- What a program needs that gets an environment of its own: the date and the zone that the specs
--- see, and what a build with AddressSanitizer loads first.

local M = {}

local NAMES = { "TZ", "FAKETIME", "FAKETIME_DONT_RESET", "FAKETIME_DONT_FAKE_MONOTONIC" }

--- As entries of an environment.
---@return string[]
function M.entries()
  local preload = os.getenv "ALICLOUD_PRELOAD"
  local first = preload or os.getenv "LD_PRELOAD"
  local list = {}
  if first then list[1] = "LD_PRELOAD=" .. first end
  if preload then list[2] = "ASAN_OPTIONS=detect_leaks=0" end
  for _, name in ipairs(NAMES) do
    local value = os.getenv(name)
    if value then list[#list + 1] = name .. "=" .. value end
  end
  return list
end

--- As words of a shell, behind `env -i`.
---@return string
function M.words()
  local list = {}
  for i, entry in ipairs(M.entries()) do list[i] = "'" .. entry .. "' " end
  return table.concat(list)
end

return M
