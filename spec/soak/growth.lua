-- Whether a program grows: what it holds after each part of its work.

local M = {}

-- What the C library keeps of a load that it had not met before, and connections that happen to be
-- idle at a sample; whatever a call leaves behind is far more after so many.
local SLACK = { resident = 3 << 20, lua = 128 << 10, descriptors = 8 }

local function descriptors()
  local pipe <close> = assert(io.popen "ls /proc/$PPID/fd | wc -l")
  return pipe:read "n"
end

-- Bytes in memory, bytes of Lua, descriptors.
local function measure(calls)
  collectgarbage()
  collectgarbage()
  local file <close> = assert(io.open "/proc/self/status")
  local resident = file:read "a":match "VmRSS:%s*(%d+) kB"
  return { calls = calls, resident = tonumber(resident) << 10,
    lua = math.tointeger(collectgarbage "count" * 1024 // 1), descriptors = descriptors() }
end

--- Takes a sample and prints it.
---@param samples table[] grows by it
---@param calls integer so far
function M.sample(samples, calls)
  local now = measure(calls)
  samples[#samples + 1] = now
  print(("%9d calls: %6.1f MB resident, %7.1f KB of Lua, %d descriptors"):format(now.calls,
    now.resident / (1 << 20), now.lua / 1024, now.descriptors))
  io.stdout:flush()
end

--- Holds the later samples against one that was taken when the program was warm.
---@param samples table[]
---@param warm integer
---@param idle? integer connections that may be idle (8)
---@return integer passed
---@return integer failed
function M.judge(samples, warm, idle)
  local passed, failed, before = 0, 0, samples[warm]
  for _, name in ipairs { "resident", "lua", "descriptors" } do
    local worst = 0
    for i = warm + 1, #samples do worst = math.max(worst, samples[i][name] - before[name]) end
    if worst > (name == "descriptors" and idle or SLACK[name]) then
      failed = failed + 1
      print(("%s: grown by %d since call %d"):format(name, worst, before.calls))
    else
      passed = passed + 1
    end
  end
  return passed, failed
end

return M
