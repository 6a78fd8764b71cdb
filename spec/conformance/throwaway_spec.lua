-- The throwaway life: it decides what it can, is written down before it happens, and goes on after
-- a kill at any of its changes.

local core = require "alicloud.core"
local emulator = require "alicloud.emulator"
local flips = require "spec.conformance.flips"
local throwaway = require "spec.conformance.throwaway_world"
local tier = require "alicloud.conformance.cases.throwaway"

local READS = { Describe = true, List = true, Get = true }

local function is_change(request)
  local action = request.action or request.headers and request.headers["x-acs-action"] or ""
  return not READS[action:match "^%u%l+"], action
end

local function new_emulator(assume)
  return emulator.new { world = throwaway.world(), assume = assume, wire = false }
end

local function ended_as_it_began(emu)
  local kept = { groups = #emu.world.groups, pairs = #emu.world.pairs, attached = 0 }
  for _, disk in ipairs(emu.world.disks) do
    if disk.instance then kept.attached = kept.attached + 1 end
  end
  assert.same({ groups = 2, pairs = 3, attached = 0 }, kept)
end

-- The way to an emulator that looks at each change, before and after the emulator has it; or at
-- each request.
local function watched(before, after, every_request)
  return function(inner)
    local function through(call)
      return function(request)
        local change, action = is_change(request)
        change = change or every_request
        if change and before then before(action, request) end
        local answer = call(request)
        if change and after then after(action, request) end
        return answer
      end
    end
    return { send = through(inner.send), perform = inner.perform and through(inner.perform) }
  end
end

describe("a throwaway life", function()
  local result, emu, found
  local memory = {}

  setup(function()
    emu = new_emulator()
    result = throwaway.run { emu = emu, memory = memory }
    found = throwaway.by_name(result)
  end)

  it("decides what its tier can see, and contradicts nothing", function()
    for _, case in ipairs(tier.cases) do
      local decision = case.name and found[case.name]
      if decision then
        local wanted = flips.INVISIBLE[case.name] and "undecided" or "confirmed"
        assert.equal(wanted, decision.verdict, case.name)
      end
    end
    for name, decision in pairs(found) do
      assert(decision.verdict == "confirmed" or decision.verdict == "undecided", name)
    end
    assert.is_nil(result.stopped)
  end)

  it("leaves the account as it was, and says so", function()
    ended_as_it_began(emu)
    assert.is_true(memory.cleaned)
    assert.same({}, result.left)
  end)

  it("measures how long states last, in the emulator's names", function()
    local timings = emu.world.timings
    for _, name in ipairs { "create", "initial_sync", "one_shot", "sync", "stop", "membership",
      "reprotect", "delete", "attach", "detach" } do
      local list = assert(result.timings[name], name)
      for _, seconds in ipairs(list) do
        assert.is_true(math.abs(seconds - timings[name]) < 4, name .. " " .. seconds)
      end
    end
  end)

  it("says for each code that it met what it means", function()
    assert.equal(403, result.messages["OperationDenied.InvalidStatus"].status)
  end)

  it("says what it lacks without instances", function()
    local run = throwaway.run { emu = new_emulator(),
      lab = { instance_source = false, instance_target = false } }
    local decisions = throwaway.by_name(run)
    for name, option in pairs { busy_primary = "source", attach_secondary = "target",
      standby_attached = "target" } do
      local text = decisions[name] and decisions[name].text or "--instance-" .. option
      assert.truthy(text:find("--instance-" .. option, 1, true))
    end
    assert.is_nil(run.stopped)
  end)
end)

describe("a throwaway life of a service that says null", function()
  it("takes it for absent", function()
    local emu = emulator.new { world = throwaway.world() }
    local result = throwaway.run { emu = emu, transport = function(inner)
      return { send = function(request)
        local answer = inner.send(request)
        for _, name in ipairs { "ReplicaGroupId", "NextToken", "InstanceId" } do
          local was, is = ('"%s":""'):format(name), ('"%s":null'):format(name)
          answer.body = answer.body and answer.body:gsub(was, is)
        end
        return answer
      end }
    end }
    assert.is_nil(result.stopped)
    for _, decision in ipairs(result.decisions) do
      assert(decision.verdict == "confirmed" or decision.verdict == "undecided", decision.name)
    end
    ended_as_it_began(emu)
  end)
end)

describe("what a throwaway life makes", function()
  it("is written down before it is sent, and its id at once after", function()
    local kept, checked = {}, 0
    local function before(action, request)
      if not action:find "^Create" then return end
      checked = checked + 1
      local token = request.params and request.params.ClientToken
      local written = false
      for name, try in pairs(kept) do
        written = written or name:find "^try:create" and try.token == token
      end
      assert(written, action .. " was sent before it was written down")
    end
    throwaway.run { emu = new_emulator(), memory = kept, transport = watched(before) }
    assert.is_true(checked >= 7)
    local ids = 0
    for name, value in pairs(kept) do
      if name:find "^did:create" and (value.answer or value.code) then ids = ids + 1 end
    end
    assert.equal(checked, ids)
  end)
end)

-- A run that is interrupted at the nth change, before or after the service has it.
local function run_until(emu, memory, decided, nth, late, every_request)
  local count = 0
  local function stop()
    count = count + 1
    if count == nth then error("interrupted!", 0) end
  end
  local function note(record)
    if record.decided then decided[record.decided.name] = record.decided end
  end
  local ok, raised = pcall(throwaway.run, { emu = emu, memory = memory, decided = decided,
    on_append = note,
    transport = late and watched(nil, stop) or watched(stop, nil, every_request) })
  if ok then return nil, raised, count end
  assert(tostring(raised):find "interrupted!", raised)
  return true
end

local EVERY = os.getenv "CONFORMANCE_ALL" and 1 or 9

-- As the journal's file would have it.
local function as_read_back(memory)
  return core.decode(core.encode(memory))
end

describe("a life that goes on a day after", function()
  it("takes no token that is forgotten by then for one that never counted", function()
    for _, name in ipairs { "create_h_again", "tag_2", "state_token_again" } do
      local emu, memory, decided = new_emulator(), {}, {}
      local function stop(record)
        if record.decided then decided[record.decided.name] = record.decided end
        local kept = record.remembered
        if kept and kept.key == "try:" .. name then
          memory[kept.key] = nil
          error("interrupted!", 0)
        end
      end
      assert.is_false(pcall(throwaway.run, { emu = emu, memory = memory, decided = decided,
        on_append = stop }))
      emu:advance(86400)
      local result = throwaway.run { emu = emu, memory = as_read_back(memory),
        decided = as_read_back(decided) }
      for _, decision in ipairs(result.decisions) do
        assert(decision.verdict == "confirmed" or decision.verdict == "undecided",
          ("%s: %s is %s"):format(name, decision.name, tostring(decision.value)))
      end
      ended_as_it_began(emu)
    end
  end)
end)

-- Goes on with a life that was killed, to the end that it would have had.
local function ends_well(emu, memory, decided, nth)
  local result = throwaway.run { emu = emu, memory = as_read_back(memory),
    decided = as_read_back(decided) }
  assert.is_nil(result.stopped, ("%d: %s"):format(nth, tostring(result.stopped)))
  for _, decision in ipairs(result.decisions) do
    assert(decision.verdict == "confirmed" or decision.verdict == "undecided",
      ("%d: %s is %s"):format(nth, decision.name, tostring(decision.value)))
  end
  ended_as_it_began(emu)
end

describe("a life that was killed", function()
  for _, late in ipairs { false, true } do
    it("goes on to the same end, killed " .. (late and "after" or "before") .. " a change",
      function()
        local nth = late and 1 or 2
        while true do
          local emu, memory, decided = new_emulator(), {}, {}
          if not run_until(emu, memory, decided, nth, late) then break end
          ends_well(emu, memory, decided, nth)
          nth = nth + EVERY
        end
        assert.is_true(nth > 60, nth)
      end)

    it("is cleaned up after, killed " .. (late and "after" or "before") .. " a change", function()
      local nth = late and 2 or 1
      while true do
        local emu, memory = new_emulator(), {}
        if not run_until(emu, memory, {}, nth, late) then break end
        for _ = 1, 2 do
          local result = throwaway.run { emu = emu, memory = as_read_back(memory),
            tiers = { "cleanup" } }
          assert.is_nil(result.stopped, ("%d: %s"):format(nth, tostring(result.stopped)))
        end
        ended_as_it_began(emu)
        nth = nth + EVERY
      end
    end)
  end
end)

describe("a life that was killed while it looked", function()
  it("goes on to the same end", function()
    for nth = 5, 600, EVERY == 1 and 7 or 61 do
      local emu, memory, decided = new_emulator(), {}, {}
      assert.is_true(run_until(emu, memory, decided, nth, false, true))
      ends_well(emu, memory, decided, nth)
    end
  end)
end)

describe("a life that cannot go on", function()
  it("stops with the reason, and names the command that cleans up", function()
    local emu = new_emulator()
    local memory = {}
    local result = throwaway.run { emu = emu, memory = memory,
      transport = watched(function(action)
        if action == "FailoverDiskReplicaGroup" and not memory.broken and memory["did:home_1"] then
          memory.broken = true
          emu:region("cn-shanghai", "down")
        end
      end) }
    assert.truthy(result.stopped)
    assert.truthy(result.left[1]:find("conformance --cleanup", 1, true))
    emu:region("cn-shanghai", "up")
    memory.broken = nil
    local again = throwaway.run { emu = emu, memory = memory }
    assert.is_nil(again.stopped)
    ended_as_it_began(emu)
  end)
end)

local REFUSED = {
  { "attached", function(world) world.disks[1].instance = "i-hz" end, "d-hz-1 is attached" },
  { "with snapshots", function(world) world.disks[4].snapshots = 2 end, "d-sh-2 has snapshots" },
  { "in a pair", function(world)
    world.pairs = { { id = "pair-x", source = "cn-shanghai/cn-shanghai-b", status = "stopped",
      destination = "cn-hangzhou/cn-hangzhou-g", source_disk = "d-sh-3",
      destination_disk = "d-hz-9" } }
  end, "d-sh-3 is in pair pair-x" },
  { "too large", function(world)
    for _, disk in ipairs(world.disks) do disk.size = 41 end
  end, "41 GiB; at most 40" },
  { "of another size", function(world) world.disks[6].size = 40 end, "all must be alike" },
  { "of another category", function(world) world.disks[6].category = "cloud_auto" end,
    "all must be alike" },
  { "for a system", function(world) world.disks[2].type = "system" end, "is a system disk" },
  { "in another zone", function(world) world.disks[3].place = "cn-hangzhou/cn-hangzhou-h" end,
    "must be in one zone" },
}

describe("disks", function()
  for _, case in ipairs(REFUSED) do
    it("that are " .. case[1] .. " are refused, and nothing is changed", function()
      local result, emu = throwaway.run { world = throwaway.world(case[2]) }
      assert.truthy((result.stopped or ""):find(case[3], 1, true), result.stopped)
      assert.same({}, emu:ledger())
    end)
  end

  it("that are not there, or are named twice, are refused", function()
    local disks = { { source = "d-hz-1", destination = "d-sh-1" },
      { source = "d-hz-2", destination = "d-nowhere" },
      { source = "d-hz-3", destination = "d-sh-3" } }
    local result = throwaway.run { lab = { disks = disks } }
    assert.truthy(result.stopped:find("no disk d-nowhere", 1, true))
    disks[2].destination = "d-sh-1"
    result = throwaway.run { lab = { disks = disks } }
    assert.truthy(result.stopped:find("d-sh-1 is named twice", 1, true))
  end)
end)
