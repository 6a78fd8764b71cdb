-- The second reading can tell: emulators that are switched against the documents, and histories in
-- which one thing is changed, are each found out.

local check = require "spec.emulator.second_model.check"
local history = require "spec.emulator.second_model.history"
local life = require "spec.emulator.model.life"
local tables = require "alicloud.base.tables"
local walk = require "spec.emulator.second_model.walk"

local function names(one)
  local found = {}
  for _, difference in ipairs(check.check(one)) do found[difference.name] = true end
  return found
end

-- The switch, and the name of the difference that it has to make.
local SWITCHED = {
  { hostile = { group_ahead = true }, finds = "together" },
  { hostile = { permissive = true }, finds = "condition" },
  { hostile = { mixed_pairs = true }, finds = "claim" },
  { hostile = { stale_read = 30 }, finds = "shown" },
  { hostile = { odd_look = 2 }, finds = "shown" },
  { hostile = { recover_point_as = "future" }, finds = "shown" },
  { hostile = { short_list = 1 }, finds = "shown" },
  { hostile = { unknown_status = "moving" }, finds = "shown" },
  { assume = { failover_states = "any" }, finds = "accepted" },
  { assume = { first_full_sync = "allow" }, finds = "condition" },
  { assume = { pair_in_group = "allow" }, finds = "condition" },
  { assume = { busy_primary = "allow" }, finds = "condition" },
}

local WALKS = 60

local function first_walk_with(options, wanted)
  for seed = 1, WALKS do
    local histories = history.record(function() walk.walk(seed, options) end)
    for name in pairs(names(histories[1])) do
      if wanted[name] then return seed end
    end
  end
  return nil
end

describe("an emulator is found out that is switched to", function()
  it("nothing, and it is right", function()
    local all = {}
    for _, mutant in ipairs(SWITCHED) do all[mutant.finds] = true end
    assert.is_nil(first_walk_with({}, all))
  end)

  for _, mutant in ipairs(SWITCHED) do
    local switch, value = next(mutant.hostile or mutant.assume)
    it(("%s = %s"):format(switch, value), function()
      local options = { hostile = mutant.hostile, assume = mutant.assume }
      assert.is_number(first_walk_with(options, { [mutant.finds] = true }))
    end)
  end
end)

local function copied(records)
  local all = {}
  for id, record in pairs(records) do all[id] = tables.copy(record) end
  return all
end

-- A life of its own for each change: entries are shared by nobody.
local function lived()
  local entries = history.record(function() life.live() end)[1]
  for _, entry in ipairs(entries) do
    entry.before, entry.after = copied(entry.before), copied(entry.after)
  end
  return entries
end

local function group_of(records)
  for id, record in pairs(records) do
    if record.kind == "group" then return record, id end
  end
  return nil
end

-- The entry of a call, or of the step with which the group arrives in a state.
local function call(entries, action)
  for index, entry in ipairs(entries) do
    if entry.action == action then return entry, index end
  end
  error("no " .. action)
end

local function arrival(entries, status, kind)
  for index, entry in ipairs(entries) do
    for id, record in pairs(entry.after) do
      local old = entry.before[id]
      if not entry.action and record.kind == (kind or "group") and record.status == status
        and old and old.status ~= status then
        return entry, index, record, old, id
      end
    end
  end
  error("never " .. status)
end

local function swap(record)
  record.source, record.destination = record.destination, record.source
end

local EDITED = {
  { "a code that is in another table", "code", function(entries)
    call(entries, "StopDiskReplicaGroup").code = "OperationDenied.GroupHasPair"
  end },
  { "a code that the records belie", "claim", function(entries)
    call(entries, "FailoverDiskReplicaGroup").code = "OperationDenied.NoPairInGroup"
  end },
  { "a refusal in a state that is allowed", "refused", function(entries)
    call(entries, "ReprotectDiskReplicaGroup").code = "OperationDenied.InvalidStatus"
  end },
  { "a refusal without a reason", "refused", function(entries)
    call(entries, "StopDiskReplicaGroup").code = "OperationDenied"
  end },
  { "a call that is refused and changes all the same", "touched", function(entries)
    call(entries, "FailoverDiskReplicaGroup").code = "Forbidden"
  end },
  { "a call that is taken in a state that is not allowed", "accepted", function(entries)
    group_of(call(entries, "ReprotectDiskReplicaGroup").before).status = "normal"
  end },
  { "a call that is taken at the wrong side", "condition", function(entries)
    call(entries, "FailoverDiskReplicaGroup").params.RegionId = "cn-hangzhou"
  end },
  { "a call with another state after it", "into", function(entries)
    group_of(call(entries, "FailoverDiskReplicaGroup").after).status = "reprotecting"
  end },
  { "a state that is left out", "step", function(entries)
    local _, _, record = arrival(entries, "created")
    record.status = "normal"
  end },
  { "a drill that is gone while it runs", "step", function(entries)
    local entry, _, _, _, id = arrival(entries, "executed", "drill")
    entry.after[id] = nil
  end },
  { "a direction that turns by itself", "direction", function(entries)
    local _, _, record = arrival(entries, "failovered")
    swap(record)
  end },
  { "a reversal that turns nothing", "direction", function(entries)
    local _, _, record = arrival(entries, "stopped")
    swap(record)
  end },
  { "sides of the beginning that change", "initial sides", function(entries)
    local _, _, record = arrival(entries, "stopped")
    record.primary, record.standby = record.standby, record.primary
  end },
  { "a recovery point before the first copy is over", "point", function(entries)
    local _, _, record = arrival(entries, "created")
    record.point = 1795316400
  end },
  { "a recovery point that is not there after it", "point of a cycle", function(entries)
    local _, _, record = arrival(entries, "normal")
    record.point = nil
  end },
  { "a recovery point that runs back", "point back", function(entries)
    local _, _, record, old = arrival(entries, "failovered")
    record.point = old.point - 900
  end },
  { "a recovery point that is ahead of the clock", "point ahead", function(entries)
    local entry, _, record = arrival(entries, "normal")
    record.point = math.tointeger(entry.at // 1) + 600
  end },
  { "a pair that joins unasked", "membership", function(entries)
    local entry, index = call(entries, "AddDiskReplicaPair")
    table.remove(entries, index)
    assert.is_nil(entry.code)
  end },
  { "a pair that stays behind its group", "together", function(entries)
    local entry = arrival(entries, "failovered")
    for _, record in pairs(entry.after) do
      if record.kind == "pair" then record.status = "failovering" end
    end
  end },
  { "a look that changes something", "touched", function(entries)
    group_of(call(entries, "DescribeDiskReplicaGroups").after).status = "invalid"
  end },
  { "a record out of nothing", "out of nothing", function(entries)
    local entry = arrival(entries, "normal")
    entry.after["pg-new"] = { kind = "group", status = "created", members = {} }
  end },
}

describe("a history is found out that has", function()
  it("nothing changed, and it is right", function()
    assert.same({}, names(lived()))
  end)

  for _, edited in ipairs(EDITED) do
    it(edited[1], function()
      local entries = lived()
      edited[3](entries)
      assert.is_true(names(entries)[edited[2]], edited[2])
    end)
  end
end)
