-- What is judged from a history is seen when it does not hold.

local core = require "alicloud.core"
local invariants = require "spec.etcd.invariants"
local journals = require "alicloud.dr.journal"

local ITEM = { type = "item", run = "a/pg-1", account = "a", group = "pg-1",
  region = "cn-shanghai" }

-- A run that one controller began and another one, who was waiting, has finished.
local EVENTS = {
  { type = "run" }, { type = "attempt", fence = 5 },
  { type = "call", call = 1, client_token = "t" },
  { type = "attempt", fence = 9 }, { type = "answer", call = 1, outcome = "unknown" },
  { type = "finished" },
}

local function history(events)
  local list, head = { ITEM }, journals.FIRST
  local fence, all = "5", {}
  for seq, event in ipairs(events or EVENTS) do
    local line
    line, head = journals.line(seq, head, event)
    if event.fence then fence = tostring(event.fence) end
    all[#all + 1] = line
    list[#list + 1] = { type = "record", run = ITEM.run, seq = seq, text = line }
    list[#list + 1] = { type = "try", who = "c" .. fence, run = ITEM.run, first = seq,
      lines = { line }, fence = fence }
  end
  list[#list + 1] = { type = "mirror", who = "c5", run = ITEM.run, text = all[1] .. all[2] }
  list[#list + 1] = { type = "lock", key = "locks/a/pg-1", lease = "7" }
  list[#list + 1] = { type = "ledger", account = "a", effects = { { group = "pg-1",
    to = "cn-shanghai/b", client_token = "t" } } }
  list[#list + 1] = { type = "struck", who = "c5", signal = "KILL" }
  list[#list + 1] = { type = "ended", who = "c5", how = "signal", code = 9 }
  list[#list + 1] = { type = "exit", who = "c9", code = 0 }
  list[#list + 1] = { type = "ended", who = "c9", how = "exit", code = 0 }
  return list
end

local function find(list, type, nth)
  for i, event in ipairs(list) do
    if event.type == type then
      nth = nth - 1
      if nth == 0 then return event, i end
    end
  end
end

-- What is seen once something is changed.
local function seen(change, events)
  local list = history(events)
  change(list)
  local names = {}
  for _, violation in ipairs(invariants.check(list)) do
    names[violation:match "^(%a+):"] = true
  end
  return names
end

local function drop(type, nth)
  return function(list) table.remove(list, select(2, find(list, type, nth))) end
end

local function set(type, nth, field, value)
  return function(list) find(list, type, nth)[field] = value end
end

local function with_effects(...)
  return set("ledger", 1, "effects", { ... })
end

local GOOD = { group = "pg-1", to = "cn-shanghai/b", client_token = "t" }

local function effect(field, value)
  return { group = GOOD.group, to = GOOD.to, client_token = GOOD.client_token, [field] = value }
end

local function with_event(nth, event)
  local events = { table.unpack(EVENTS) }
  events[nth] = event
  return events
end

local function nothing() end

local SEEN = {
  { "a record that is missing", { chain = true, mirrors = true }, drop("record", 1) },
  { "a record that nobody wrote", { fences = true }, drop("try", 3) },
  { "a record of somebody older", { fences = true }, set("try", 5, "fence", "5") },
  { "a record that was written without a fence", { fences = true },
    set("try", 5, "fence", nil) },
  { "a fence that comes twice", { fences = true }, nothing,
    with_event(4, { type = "attempt", fence = 5 }) },
  { "a copy that has more", { mirrors = true }, set("mirror", 1, "text", "x\n") },
  { "two effects", { effects = true }, with_effects(GOOD, GOOD) },
  { "no effect", { effects = true }, with_effects() },
  { "a wrong direction", { effects = true }, with_effects(effect("to", "cn-hangzhou/g")) },
  { "a token of nobody", { effects = true }, with_effects(effect("client_token", "u")) },
  { "an effect of what was not sent", { effects = true }, nothing,
    with_event(5, { type = "answer", call = 1, outcome = "not_sent" }) },
  { "an effect that nobody asked for", { strangers = true },
    with_effects(GOOD, effect("group", "pg-2")) },
  { "a run without an end", { done = true }, nothing, with_event(6, { type = "stopped" }) },
  { "a lock without a lease", { locks = true }, set("lock", 1, "lease", nil) },
  { "a controller that fell", { exits = true }, drop("struck", 1) },
  { "an exit code without a word", { exits = true }, drop("exit", 1) },
  { "a controller that has raised", { exits = true }, function(list)
    set("exit", 1, "code", 99)(list)
    set("exit", 1, "why", "init.lua:1: nil")(list)
    set("ended", 2, "code", 99)(list)
  end },
}

describe("the judge of histories", function()
  it("has nothing to say of one in which all is well", function()
    assert.same({}, invariants.check(history()))
  end)

  for _, case in ipairs(SEEN) do
    it("sees " .. case[1], function()
      assert.same(case[2], seen(case[3], case[4]))
    end)
  end

  it("has for each of its rules a history that breaks it", function()
    local broken = {}
    for _, case in ipairs(SEEN) do
      for name in pairs(case[2]) do broken[name] = true end
    end
    for _, name in ipairs(invariants.NAMES) do assert.is_true(broken[name], name) end
  end)

  it("asks less where the store was put back, or not all could be done", function()
    assert.same({}, seen(function(list)
      table.insert(list, { type = "incomplete" })
      with_effects()(list)
    end, with_event(6, { type = "stopped" })))
    assert.same({}, seen(function(list)
      table.insert(list, { type = "restored" })
      set("mirror", 1, "text", "x\n")(list)
    end))
  end)

  it("reads what was kept", function()
    local path = require "spec.scratch".path()
    require "spec.etcd.stage".keep(history(), path)
    assert.same(core.encode(history()), core.encode(invariants.read(path)))
  end)
end)
