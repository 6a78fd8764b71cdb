-- The second half of the scenario: programs, keys that a program gives, runs with a gate, and
-- interrupts.

local approvals = require "alicloud.dr.playbook.approval"
local core = require "alicloud.core"
local credentials = require "alicloud.credentials"
local dr = require "alicloud.dr"
local journals = require "alicloud.dr.journal"
local memory = require "alicloud.dr.store.memory"
local programs = require "alicloud.base.program"
local scratch = require "spec.scratch"

-- An operation that answers when nobody waits any more.
local ENDLESS = "DescribeDiskReplicaPairs"

local function closing(action)
  return setmetatable({}, { __close = action })
end

-- The process of a program that has told its number and then sleeps.
local function is_gone(path)
  local file <close> = io.open(path)
  local pid = file and file:read "n"
  return pid and not core.is_process(pid)
end

local function of_programs(note, client)
  local loop, path = client.loop, scratch.path()
  local ended = {}
  loop.scope(function()
    for i = 1, 8 do
      loop.spawn(function()
        local done = programs.run(loop, { "sh", "-c", "sleep 0.02; exit " .. i }, { max = 100 })
        ended[i] = done.code
      end)
    end
  end)
  note("programs ended", table.concat(ended, " "))
  local line = ("echo $$ >%s.new; mv %s.new %s; exec sleep 60"):format(path, path, path)
  local err
  -- A machine that was too slow for it is given more time.
  for _, seconds in ipairs { 0.5, 5, 50 } do
    local _, cut_off = loop.scope(function()
      programs.run(loop, { "sh", "-c", line }, { max = 100 })
    end, { timeout = seconds })
    err = cut_off
    if core.look(path) then break end
  end
  note("a program was given up", err.kind, is_gone(path))
end

local function keys_of(client)
  local identity = client:prepare("DescribeRegions")
  return identity ~= nil
end

local function credentials_of_a_program(note, client, account)
  local loop, go_on = client.loop, scratch.path()
  local own <close> = client:with { credentials = credentials.external { command = { "sh", "-c",
    'until test -e "$3"; do sleep 0.02; done; '
      .. 'printf \'{"mode":"AK","access_key_id":"%s","access_key_secret":"%s"}\' "$1" "$2"',
    "sh", account.access_key_id, account.access_key_secret, go_on } } }
  local given_up = loop.spawn(keys_of, own)
  local operation = own:start("DescribeDiskReplicaGroups", {})
  loop.sleep(0.02)
  given_up:cancel()
  scratch.write(go_on, "")
  note("called with keys of a program", own:call("DescribeDiskReplicaGroups", {}) ~= nil,
    operation:result() ~= nil, select(2, given_up:result()).kind)
end

local SEED = ("11"):rep(32)

local function book()
  return dr.playbook("scenario", function(run)
    local ended = run:each({ "gated", "working" }, {}, function(name, branch)
      if name == "gated" then
        branch:gate("go", { need = 1, of = { lead = core.ed25519_public(SEED) }, expires = "20s" })
      end
      branch:step("program", { timeout = "20s" }, function()
        return branch:program "sleep 0.02"
      end)
      branch:step("late", { timeout = 0.1, on_error = "continue" }, function()
        return branch:program "sleep 60"
      end)
      return "done"
    end)
    return ended
  end)
end

local function a_run_with_a_gate(note, client)
  local loop, disk = client.loop, memory.disk()
  local approver
  local result, err = dr.run(book(), { client = client, requester = "operator",
    store = disk:open "run", progress = function(event)
      if event.type ~= "gate_open" then return end
      approver = loop.spawn(function()
        loop.sleep(0.02)
        disk:open "run":post(core.encode(approvals.sign(event.decision, "lead",
          math.floor(client.runtime.time()), SEED)))
      end)
    end })
  approver:result()
  note("a run ended", result and result.status or err)
  note("with exceptions", result and #result.exceptions)
end
-- As the interpreter raises it, and as a command finds it when it waits.
local function interrupts(note, client)
  local loop, ended_by, cleaned = client.loop, core.ended_by, 0
  local function interrupted_by(interrupt)
    local working
    local ok, raised = pcall(loop.scope, function()
      working = loop.spawn(function()
        local _ <close> = closing(function()
          loop.scope(function()
            client:must("DescribeDiskReplicaGroups", {})
            cleaned = cleaned + 1
          end, { shield = true, timeout = 20 })
        end)
        client:call(ENDLESS, {})
      end)
      loop.sleep(0.05)
      interrupt()
    end)
    core.ended_by = ended_by
    note("interrupted", ok, raised, "with all that was begun", working:done(), cleaned)
  end
  interrupted_by(function() error("interrupted!", 0) end)
  interrupted_by(function()
    core.ended_by = function() return 15 end
    loop.sleep(60)
  end)
end

local function an_interrupted_run(note, client)
  local disk, undone = memory.disk(), false
  local ok, raised = pcall(dr.run, dr.playbook("interrupted", function(run)
    run:step("first", { undo = function() undone = true end }, function() return true end)
    run:step("second", { timeout = "20s" }, function()
      client.loop.sleep(0.01)
      error("interrupted!", 0)
    end)
  end), { client = client, requester = "operator", store = disk:open "run" })
  local events = assert(journals.read(disk:text "run")).events
  note("a run is interrupted", ok, raised, events[#events].type, events[#events].status,
    "undone", undone)
end

--- In this order.
return { of_programs, credentials_of_a_program, a_run_with_a_gate, interrupts, an_interrupted_run }
