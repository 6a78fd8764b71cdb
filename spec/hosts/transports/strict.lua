-- A transport for the specs of a program: it answers what was written down, in that order, and
-- nothing else. A request that is not the next one is refused before it is sent; `finish` says
-- what went wrong, or what was never asked.

local core = require "alicloud.core"
local recorder = require "spec.hosts.transports.recorder"

local M = {}

local function same(left, right)
  if type(left) ~= "table" or type(right) ~= "table" then return left == right end
  for key, value in pairs(left) do
    if not same(value, right[key]) then return false end
  end
  for key in pairs(right) do
    if left[key] == nil then return false end
  end
  return true
end

--- Makes a transport from lines of recorder.lua.
---@param lines string[]
---@return { send: function, finish: fun() }
function M.new(lines)
  local script, complaints = {}, {}
  for i, line in ipairs(lines) do script[i] = assert(core.decode(line)) end
  local stub, position = {}, 0

  function stub.send(request)
    local asked, entry = recorder.essence(request), script[position + 1]
    if not (entry and same(asked, entry.request)) then
      complaints[#complaints + 1] = ("asked for %s, expected %s"):format(core.encode(asked),
        entry and core.encode(entry.request) or "nothing more")
      return nil, { sent = "no", message = complaints[#complaints] }
    end
    position = position + 1
    if entry.answer then return entry.answer end
    return nil, entry.refused
  end

  --- Raises unless every line was asked for, and nothing else.
  function stub.finish()
    for i = position + 1, #script do
      complaints[#complaints + 1] = "never asked for " .. core.encode(script[i].request)
    end
    if #complaints > 0 then error(table.concat(complaints, "\n"), 2) end
  end

  return stub
end

return M
