-- A run that is killed by the kernel at every system call that writes, syncs or sends, against an
-- emulator behind a socket, and run again by a second process: one effect, and the verdict of a run
-- that nobody touched. So is one that is rolled back, corrected or handed over, at some of the
-- calls: the service runs on the new side at the end. Reports "kill sweep: N passed, N failed".
-- Arguments: a stride, and the name of one scenario. Without a stride what takes long is killed at
-- a few calls only.

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

local CALLS = { "write", "fsync", "sendto", "ftruncate", "rename" }
local MOST = 400

local MOVE = "alicloud-dr run planned group=pg-orders region=cn-shanghai attach=i-orders-sh "
  .. "max_rpo=2h --no-ask"

-- It fails behind its point of no return, and is corrected.
local DOUBTED = MOVE .. " verify=false verify_for=1s"
local CORRECTED = " verify=true --why 'the probe was wrong' --no-ask"

local REFUSED = [[return { { match = { action = "FailoverDiskReplicaGroup", nth = 1 },
  effect = { error = { status = 403, code = "Forbidden" } } } }]]

-- A run that was rolled back, or refused for a while, is made again.
local function until_done(command)
  return ("for i in 1 2 3 4; do %s && break; done"):format(command)
end

-- What is swept: `first` is done before, `killed` is what the kernel ends as it enters a call for
-- the nth time, `again` is typed by whoever goes on. Without an argument every `stride`th call, of
-- `calls` only.
local SCENARIOS = {
  { name = "failover", stride = 1,
    killed = "alicloud-dr run $DIR/orders.lua --region cn-shanghai --no-ask",
    again = "alicloud-dr run $DIR/orders.lua --region cn-shanghai --no-ask",
    status = "completed check=done promote=done open=done" },
  { name = "rollback", stride = 30, calls = { "fsync" }, faults = REFUSED, killed = MOVE,
    again = until_done(MOVE) },
  { name = "correction", stride = 20, calls = { "fsync" }, first = DOUBTED,
    killed = "alicloud-dr resume $DIR/planned-*-1.jsonl" .. CORRECTED,
    again = "alicloud-dr resume $DIR/planned-*-1.jsonl" .. CORRECTED },
  { name = "handover", stride = 7, calls = { "fsync", "rename" }, first = DOUBTED, move = true,
    killed = "alicloud-dr handover $DIR/$JOURNAL --to $DIR/to",
    again = "[ -e $DIR/to/$JOURNAL ] || alicloud-dr handover $DIR/$JOURNAL --to $DIR/to; "
      .. "alicloud-dr resume $DIR/to/$JOURNAL" .. CORRECTED },
}

local TRIAL = [[
DIR=%s; export ALICLOUD_DR_JOURNALS=$DIR USER=operator; mkdir $DIR/to
{ %s; } >/dev/null 2>&1
JOURNAL=$(cd $DIR && ls *-1.jsonl 2>/dev/null)
strace -qq -o /dev/null -e trace=%s -e inject=%s:signal=SIGKILL:when=%d \
  %s >/dev/null 2>&1
echo "killed $?"
%s
echo "verified $(alicloud-dr verify $DIR/%s*-1.jsonl >/dev/null && echo whole)"
]]

-- Which of the two machines run, by what was done to them.
local function running(effects)
  local on = { ["i-orders-hz"] = true }
  for _, effect in ipairs(effects) do
    if effect.action == "StopInstance" then on[effect.instance] = nil end
    if effect.action == "StartInstance" then on[effect.instance] = true end
  end
  return (on["i-orders-hz"] and "old" or "") .. (on["i-orders-sh"] and "new" or "")
end

local function verdict(object)
  local parts = { tostring(object.status) }
  for _, step in ipairs(object.steps or {}) do
    parts[#parts + 1] = step.step .. "=" .. step.status
  end
  return table.concat(parts, " ")
end

local function judge_status(scenario, output)
  if not scenario.status then return nil end
  local object = core.decode(output:match "\n(%b{})\n" or "")
  if type(object) ~= "table" then return "no object:\n" .. output end
  return verdict(object) ~= scenario.status and verdict(object) .. "\n" .. output or nil
end

local function judge(scenario, output, effects)
  local fault, failovers = judge_status(scenario, output), 0
  if fault then return fault end
  for _, effect in ipairs(effects) do
    if effect.action == "FailoverDiskReplicaGroup" then failovers = failovers + 1 end
  end
  if failovers ~= 1 then return failovers .. " effects\n" .. output end
  if not scenario.status and running(effects) ~= "new" then
    return "runs: " .. running(effects) .. "\n" .. output
  end
  if not output:find "verified whole" then return "the journal is not whole\n" .. output end
  return nil
end

-- Whether the run was killed, and what was wrong with what followed.
local function try(scenario, call, n)
  local emulator <close> = process.start_emulator { speed = 600, faults = scenario.faults }
  local directory = scratch.directory()
  scratch.write(directory .. "/orders.lua", PLAYBOOK)
  local output = emulator:shell(TRIAL:format(directory, scenario.first or "true", call, call, n,
    scenario.killed, scenario.again .. (scenario.status and " --json" or ""),
    scenario.move and "to/" or ""))
  local killed = ("\n" .. output):find "\nkilled 137\n" ~= nil
  return killed, judge(scenario, output, emulator:ledger())
end

local passed, failed, stride = 0, 0, tonumber(arg and arg[1])
local only = arg and arg[2]

local function sweep(scenario, call)
  for n = 1, MOST, stride or scenario.stride do
    local killed, fault = try(scenario, call, n)
    if not killed then break end
    if fault then
      failed = failed + 1
      io.write(("%s killed at %s %d: %s\n"):format(scenario.name, call, n, fault))
    else
      passed = passed + 1
    end
  end
end

for _, scenario in ipairs(SCENARIOS) do
  local is_wanted = not only or only == scenario.name
  local calls = not stride and scenario.calls or CALLS
  for _, call in ipairs(is_wanted and calls or {}) do sweep(scenario, call) end
end

io.write(("kill sweep: %d passed, %d failed\n"):format(passed, failed))
os.exit(failed == 0 and passed > 0, true)
