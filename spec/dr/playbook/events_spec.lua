-- The records of a journal: each field has its type and bounds, and no journal, whatever its
-- records hold, gets more out of those that read it than words.

local approvals = require "alicloud.dr.playbook.approval"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local dice = require "alicloud.simulation.random"
local dr = require "alicloud.dr"
local events = require "alicloud.dr.playbook.events"
local journals = require "alicloud.dr.journal"
local scratch = require "spec.scratch"
local stages = require "spec.dr.playbook.stage"

local SEED = ("11"):rep(32)
local CASES = tonumber(os.getenv "JOURNAL_CASES") or 30

-- Of every type of record one: two attempts, a gate, a skip, a failure, an undoing, a mode.
local function play()
  local stage = stages.new()
  local function book(run)
    local orders = run:group("pg-orders", { region = "cn-shanghai" })
    run:step("look", { undo = function() return true end }, function()
      return orders:precheck { max_rpo = "1d" }
    end)
    run:gate("promote", { need = 1, of = { dba = core.ed25519_public(SEED) } })
    run:step("ask", { on_error = "ask" }, function() error("no", 0) end)
    run:step("stop", { graceful_only = true }, function() return true end)
    run:step("begin", function() return run.attempt > 1 or nil, "not yet" end)
    run:step("move", { point_of_no_return = true }, function() return orders:failover() end)
    run:note("done", { by = "all of us" })
    run:verify("open", function() return true end)
  end
  local function go(options)
    options.anchor = function() return "noted" end
    options.sign = { by = "operator", key = ("22"):rep(32) }
    options.ask = function() return "skip", "anna" end
    options.progress = function(event)
      if event.type ~= "gate_open" then return end
      stage.disk:open("run"):post(core.encode(approvals.sign(event.decision, "dba",
        math.floor(stage.bench.emu:now()), SEED)))
    end
    return stage:run(dr.playbook("all of it", book), options)
  end
  go { declared = { rto = "15m", rpo = "10m" },
    way = { profile = "dr", resolve = { "a.example=127.0.0.1" } } }
  assert(go { mode = "ungraceful", accept_loss = { seconds = 9, by = "anna", why = "because" } })
  return stage:events(), stage, book
end

local function sealed(list)
  local text, head = {}, journals.FIRST
  for i, event in ipairs(list) do text[i], head = journals.line(i, head, event) end
  return table.concat(text)
end

local VALUES = {
  function() return nil end, function() return true end, function() return {} end,
  function() return core.array { 1, "x", {} } end, function() return { a = { b = 1 } } end,
  function() return -1 end, function() return 0 end, function() return 1.5 end,
  function() return 1e308 end, function() return math.mininteger end,
  function() return math.maxinteger end, function() return 253402300799 end,
  function() return "" end, function() return "a\27[31mb\u{202e}\u{2028}\r" end,
  function() return ("0"):rep(64) end, function() return ("f"):rep(128) end,
  function() return "<script>`$(id)`|_*[x](http://y) @z" end,
  function() return ("long "):rep(5000) end, function() return "9" end,
}

local function keys_of(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

-- All tables of a record, to change one of them; in the same order in each process, so that a seed
-- makes the same journal.
local function tables_of(value, list)
  list[#list + 1] = value
  for _, key in ipairs(keys_of(value)) do
    if type(value[key]) == "table" then tables_of(value[key], list) end
  end
  return list
end

local MUTATIONS = {
  function(list, throw)
    local inside = throw:pick(tables_of(throw:pick(list), {}))
    local keys = keys_of(inside)
    local key = #keys > 0 and throw:pick(keys) or "x"
    inside[key] = throw:pick(VALUES)()
  end,
  function(list, throw) table.insert(list, throw:between(1, #list), throw:pick(list)) end,
  function(list, throw)
    if #list > 1 then table.remove(list, throw:between(2, #list)) end
  end,
  function(list, throw)
    local a, b = throw:between(1, #list), throw:between(1, #list)
    list[a], list[b] = list[b], list[a]
  end,
  function(list, throw) throw:pick(list).type = throw:pick(list).type end,
  function(list, throw) throw:pick(list).type = "of tomorrow\27[1m" end,
}

local function mutated(list, seed)
  local throw = dice.new(seed)
  local copy = core.decode(core.encode(core.array(list)), { max_bytes = 1 << 24 })
  -- Tables that hang together in a record would change two of them.
  for _ = 1, throw:between(1, 3) do
    throw:pick(MUTATIONS)(copy, throw)
    copy = core.decode(core.encode(core.array(copy)), { max_bytes = 1 << 24 })
  end
  return sealed(copy)
end

local function judge(seed, what, said)
  local lower = said:lower()
  local bad = lower:find "internal" or said:find "%.lua:%d+" or lower:find "traceback"
    or said:find "[\1-\8\11-\31\127]"
  assert(not bad, ("seed %d: %s: %s"):format(seed, what, said:sub(1, 2000)))
end

describe("the records of a journal", function()
  it("are what a run writes, of every type that there is", function()
    local list = play()
    local found = {}
    for _, event in ipairs(list) do
      assert.is_nil(events.fault(event))
      found[event.type] = true
    end
    for _, kind in ipairs { "run", "attempt", "step_begin", "step_end", "step_skip", "undo_begin",
      "undo_end", "intent", "outcome", "call", "answer", "gate_open", "approval", "gate_pass",
      "mode", "accept_loss", "mark", "look", "note", "asked", "stopped", "finished", "signed",
      "anchored" } do
      assert.is_true(found[kind], kind)
    end
  end)

  it("name the field that is wrong, what it is and what it may be", function()
    for _, case in ipairs {
      { { type = "note", at = 1, text = 5 }, "field text of note: got 5 (number); allowed: text" },
      { { type = "mark", at = 1 }, "field mark of mark: got nothing; allowed: text" },
      { { at = 1 }, "field type: got nothing; allowed: text" },
      { { type = "interrupted" }, "field at of interrupted: got nothing; allowed: seconds" },
      { { type = "interrupted", at = 1e300 }, "allowed: seconds since 1970, up to the year 9999" },
      { { type = "finished", at = 1, status = "completed", exceptions = { a = 1 } },
        "field exceptions of finished: got a table; allowed: a list" },
      { { type = "stopped", at = 1, err = { message = {} } },
        "field err.message of stopped: got a table; allowed: text" },
      { { type = "accept_loss", at = 1, seconds = "x", by = "a", why = "b" },
        "field seconds of accept_loss" },
      { { type = "attempt", at = 1, n = 1, owner = "a", host = "h", pid = 1, digest = "d",
        way = { profile = {} } }, "field way.profile of attempt: got a table; allowed: text" },
      { 5, "is no record" },
    } do
      local fault = events.fault(case[1])
      assert.is_truthy(fault:find(case[2], 1, true), fault)
    end
    assert.is_nil(events.fault { type = "flown", at = 1, more = {} })
    assert.is_nil(events.fault { type = "interrupted", at = 1, more = {} })
  end)

  it("may hold anything: whoever reads them says what it is", function()
    local list, stage, book = play()
    local desk, _, directory = desks.room(false)
    local path = directory .. "/odd.jsonl"
    local key = scratch.file(SEED .. "\n", nil, "600")
    for seed = 1, CASES do
      local text = mutated(list, seed)
      scratch.write(path, text)
      os.execute(("chmod 600 '%s'"):format(path))
      for _, words in ipairs { { "verify" }, { "verify", "--json" }, { "explain" }, { "explain",
        "--json" }, { "report" }, { "report", "--format", "html" }, { "report", "--format",
        "junit" }, { "report", "--json" }, { "approve", "promote", "--as", "dba", "--key", key,
        "--print" }, { "ungraceful", "--why", "x" } } do
        table.insert(words, 2, path)
        local ran = desk:run(table.unpack(words))
        judge(seed, table.concat(words, " "), ran.out .. ran.err)
        assert.is_true(ran.code <= 2)
      end
      -- Whoever goes on with it is told the same, or goes on.
      stage.disk:put("run", text)
      local ok, result, err = pcall(stage.run, stage, dr.playbook("all of it", book))
      judge(seed, "resume", ok and tostring(err and err.message) or tostring(result))
      assert(ok, result)
    end
  end)
end)
