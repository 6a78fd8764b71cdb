-- A run that is killed by the kernel at every system call that writes, syncs or sends, against an
-- emulator behind a socket, and run again by a second process: one effect, and the verdict of a run
-- that nobody touched. Reports "kill sweep: N passed, N failed".

local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"

local PLAYBOOK = [[
return require("alicloud.dr").playbook("orders", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("check", function() return orders:precheck() end)
  run:step("promote", { point_of_no_return = true }, function()
    return orders:failover { poll = 0.1 }
  end)
  run:verify("open", function() return true end)
end)
]]

-- The kernel ends the process as it enters the call for the nth time.
local TRIAL = [[
export ALICLOUD_DR_JOURNALS=%s USER=operator
strace -qq -o /dev/null -e trace=%s -e inject=%s:signal=SIGKILL:when=%d \
  alicloud-dr run %s/orders.lua --region cn-shanghai --no-ask >/dev/null 2>&1
echo "killed $?"
alicloud-dr run %s/orders.lua --region cn-shanghai --no-ask --json
echo "verified $(alicloud-dr verify %s/orders-*-1.jsonl >/dev/null && echo whole)"
]]

local CALLS = { "write", "fsync", "sendto", "ftruncate" }
local MOST = 200

local function verdict(object)
  local parts = { tostring(object.status) }
  for _, step in ipairs(object.steps or {}) do
    parts[#parts + 1] = step.step .. "=" .. step.status
  end
  return table.concat(parts, " ")
end

local EXPECTED = "completed check=done promote=done open=done"

local function judge(output, effects)
  local object = core.decode(output:match("\n(%b{})\n") or "")
  if type(object) ~= "table" then return "no object:\n" .. output end
  if verdict(object) ~= EXPECTED then return verdict(object) .. "\n" .. output end
  if effects ~= 1 then return effects .. " effects" end
  if not output:find "verified whole" then return "the journal is not whole" end
  return nil
end

-- Whether the run was killed, and what was wrong with what followed.
local function try(call, n)
  local emulator <close> = process.start_emulator { speed = 600 }
  local directory = scratch.directory()
  scratch.write(directory .. "/orders.lua", PLAYBOOK)
  local output = emulator:shell(TRIAL:format(directory, call, call, n, directory, directory,
    directory))
  local effects = emulator:effects()
  local killed = output:find("^killed 137\n") ~= nil or output:find("\nkilled 137\n") ~= nil
  return killed, judge(output, effects)
end

local passed, failed, stride = 0, 0, tonumber(arg and arg[1]) or 1

for _, call in ipairs(CALLS) do
  for n = 1, MOST, stride do
    local killed, fault = try(call, n)
    if not killed then break end
    if fault then
      failed = failed + 1
      io.write(("killed at %s %d: %s\n"):format(call, n, fault))
    else
      passed = passed + 1
    end
  end
end

io.write(("kill sweep: %d passed, %d failed\n"):format(passed, failed))
os.exit(failed == 0 and passed > 0, true)
