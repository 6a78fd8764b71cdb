-- What `make demo` shows: a disaster recovered, a mistake refused, a lost answer survived.
-- The emulator is a process of its own, the command is the installed one, and at the end the
-- ledger of the emulator is held against what was claimed. Ends with 1 if anything is not so.
local core = require "alicloud.core"
local process = require "spec.process"
local scratch = require "spec.scratch"
local tables = require "alicloud.base.tables"
local telling = require "spec.demo.telling"
local world = require "alicloud.emulator.demo"

local expect, heading, say = telling.expect, telling.heading, telling.say

local SPEED = 40

local function read_file(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- The command as a person would type it, on this terminal if there is one.
local function run(emulator, line, expected_code)
  say("$ ", line, "\n")
  local code = emulator:attached(line)
  expect(("exit code %d"):format(expected_code), code == expected_code)
end

local function effects_on(effects, group)
  local n = 0
  for _, effect in ipairs(effects) do
    n = n + (effect.group == group and 1 or 0)
  end
  return n
end

local function tour(emulator)
  heading(1, "The primary region burns",
    "cn-hangzhou is lost. These are the groups that replicate to cn-shanghai.")
  run(emulator, "alicloud-dr status --region cn-shanghai", 0)

  heading(2, "Failover",
    "Open the secondary disks of pg-orders, if no more than 20 minutes of data would be lost.")
  run(emulator, "alicloud-dr failover pg-orders --region cn-shanghai --max-rpo 20m --yes", 0)

  heading(3, "A group that must not be failed over",
    "One pair of pg-ledger is broken. The pre-check names the documented code and the cure.")
  run(emulator, "alicloud-dr failover pg-ledger --region cn-shanghai --yes", 1)

  heading(4, "The answer is lost",
    "The gateway answers 504 RequestTimeout, but the work was done. Sending again blindly, with a "
    .. "new\ntoken, could undo somebody's work. alicloud-dr looks first.")
  run(emulator, "alicloud-dr failover pg-payments --region cn-shanghai --yes", 0)

  local effects = emulator:ledger()
  telling.show_ledger("The emulator's ledger, that is, what really happened:", effects)
  expect("pg-orders was failed over exactly once", effects_on(effects, "pg-orders") == 1)
  expect("pg-payments was failed over exactly once", effects_on(effects, "pg-payments") == 1)
  expect("pg-ledger was not touched", effects_on(effects, "pg-ledger") == 0)
end

-- The usual world, with a pair that does not mend itself, so nobody waits for it to.
local function broken_world()
  local copy = tables.copy(world)
  copy.groups = core.array(tables.copy(world.groups))
  for i, group in ipairs(world.groups) do
    if group.id == "pg-ledger" then
      copy.groups[i] = tables.copy(group)
      copy.groups[i].pairs = { { status = "normal" }, { status = "invalid" } }
    end
  end
  return scratch.file(core.encode(copy), ".json")
end

local function main()
  say("alicloud-dr demo. Everything below talks real HTTP to an emulator on this machine, whose ",
    "clock\nruns ", tostring(SPEED), " times as fast. No cloud account is involved.\n")
  local emulator = process.start_emulator {
    faults = read_file "spec/demo/faults.lua",
    speed = SPEED,
    arguments = "--world " .. broken_world(),
  }
  local ok, problem = xpcall(tour, debug.traceback, emulator)
  emulator:stop()
  if not ok then
    error(problem, 0)
  end
  return telling.finish "first-steps"
end

os.exit(main(), true)
