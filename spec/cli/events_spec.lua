-- `--events`: what a command does, as lines of JSON, for whoever reads along.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local events = require "alicloud.cli.events"
local process = require "spec.process"
local records = require "alicloud.dr.playbook.events"
local scratch = require "spec.scratch"
local worlds = require "spec.worlds"

local function lines_of(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = assert(core.decode(line), line) end
  assert.is_true(#list > 0)
  return list
end

local function types_of(list)
  local types = {}
  for i, event in ipairs(list) do types[i] = event.type end
  return table.concat(types, " ")
end

-- Every field of an event is declared for its type, and every field that must be there is.
local function check_fields(event, kinds)
  local declared = {}
  for _, name in ipairs(events.COMMON) do declared[name] = true end
  for _, name in ipairs(assert(kinds[event.type], event.type)) do
    local bare = name:gsub("%?$", "")
    declared[bare] = true
    assert(bare ~= name or event[name] ~= nil, event.type .. " lacks " .. name)
  end
  for name in pairs(event) do assert(declared[name], event.type .. " has " .. name) end
end

local function kinds_of(of)
  local kinds = of == "run" and records.fields() or {}
  for _, whose in ipairs { "all", of } do
    for kind, fields in pairs(events.OWN[whose]) do kinds[kind] = fields end
  end
  return kinds
end

local function check(list, of)
  local kinds = kinds_of(of)
  for i, event in ipairs(list) do
    assert.same({ 1, i }, { event.schema, event.seq })
    assert.is_number(event.at)
    check_fields(event, kinds)
  end
  assert.equal("begin", list[1].type)
  assert.equal("end", list[#list].type)
end

local function told(given, ...)
  local path, words = scratch.path ".ndjson", { ... }
  table.move({ "--events", path }, 1, 2, #words + 1, words)
  local ran, desk = desks.once(given, table.unpack(words))
  return lines_of(scratch.read(path)), ran, desk
end

describe("events of a change", function()
  it("tell of it from its beginning to its end", function()
    local list, ran = told(nil, "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code, ran.err)
    check(list, "change")
    assert.matches("^begin look call answer look .*look outcome end$", types_of(list))
    local outcome = list[#list - 1]
    assert.same({ true, "failovered", "failovered" },
      { outcome.ok, outcome.outcome, outcome.result.outcome })
    assert.same({ 0, "done" }, { list[#list].exit, list[#list].status })
  end)

  it("tell of a refusal, and why", function()
    local list, ran = told(nil, "failover", "pg-orders", "--yes", "--max-rpo", "1m")
    assert.equal(1, ran.code)
    check(list, "change")
    assert.matches("^begin look .*outcome end$", types_of(list))
    assert.same({ "failed", "Client.RecoveryPointTooOld" },
      { list[#list].status, list[#list].err.code })
    list, ran = told(nil, "failover", "pg-orders", "--yes", "--poll", "never")
    assert.equal(2, ran.code)
    assert.equal("begin end", types_of(list))
    assert.equal("refused", list[2].status)
  end)

  it("are there for every change, and change nothing of what it prints", function()
    for _, words in ipairs { { "reprotect" }, { "stop" }, { "drill", "start" }, { "fence" },
      { "serve", "--attach", "i-none" } } do
      local typed = { table.unpack(words) }
      table.insert(typed, words[2] == "start" and 3 or 2, "pg-orders")
      typed[#typed + 1] = "--yes"
      local before = desks.once(nil, table.unpack(typed))
      local list, ran = told(nil, table.unpack(typed))
      check(list, "change")
      assert.same({ before.code, ran.code }, { ran.code, list[#list].exit }, words[1])
      assert.equal("outcome", list[#list - 1].type, words[1])
      local function steady(text) return (text:gsub("%x%x%x%x%x+", "#")) end
      assert.equal(steady(before.out), steady(ran.out))
    end
  end)
end)

describe("events of a run", function()
  it("are the records of its journal", function()
    local desk, file, directory = desks.room()
    local path, journal = directory .. "/events", directory .. "/run.jsonl"
    local ran = desk:run("run", file, "max_rpo=20m", "--region", "cn-shanghai", "--yes",
      "--events", path, "--journal", journal)
    assert.equal(0, ran.code, ran.err)
    local list, kept = lines_of(scratch.read(path)), {}
    check(list, "run")
    for line in scratch.read(journal):gmatch "[^\n]+" do
      kept[#kept + 1] = core.decode(line).event
    end
    for i, record in ipairs(kept) do
      local event = list[i + 1]
      for _, name in ipairs { "schema", "seq", "command" } do event[name] = nil end
      assert.same(record, event)
    end
    assert.equal(#kept + 2, #list)
  end)

  it("tell how far a fleet is, every few seconds and at its end", function()
    local desk, _, directory = desks.room(false, { world = worlds.of_groups(6) })
    local path = directory .. "/events"
    local ran = desk:run("run", "fleet", "groups=all", "region=cn-shanghai", "--yes", "--json",
      "--events", path)
    assert.equal(0, ran.code, ran.err)
    local list, moments = lines_of(scratch.read(path)), {}
    check(list, "run")
    for _, event in ipairs(list) do
      if event.type == "headway" and event.word == "opened" then table.insert(moments, event) end
    end
    local last = table.remove(moments)
    assert.same({ 6, 6, 0, 0, true },
      { last.count, last.done, last.under_way, last.open, last.last })
    assert.is_true(#moments >= 17 and #moments <= 22, #moments)
    for i = 2, #moments do assert.near(5, moments[i].at - moments[i - 1].at, 1e-6) end
    assert.near(last.at, moments[#moments].ends_at, 5)
  end)

  it("end though no run could begin, or its journal was another's", function()
    local desk, file, directory = desks.room()
    local path = directory .. "/events"
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--yes", "--events", path,
      "--journal", directory .. "/no/such/run.jsonl")
    assert.is_true(ran.code ~= 0)
    local list = lines_of(scratch.read(path))
    assert.same({ "begin", "end", ran.code }, { list[1].type, list[#list].type, list[#list].exit })
    assert.is_string(list[#list].err.code)
  end)

  it("are asked for again by the command that goes on", function()
    local desk, file, directory = desks.room [[
return require "alicloud.dr".playbook("bad", function(run)
  run:step("bad", function() return nil, "no" end)
end)]]
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--events", directory .. "/e",
      "--on-event", "true x")
    assert.is_truthy(ran.err:find(("--events %s/e --on-event 'true x'"):format(directory), 1, true),
      ran.err)
  end)
end)

describe("--events", function()
  it("refuses what cannot be meant", function()
    local journal = scratch.file '{"seq":1,"prev":"0'
    local cases = {
      { "0", "got \"0\"; allowed: a file, a descriptor from 1 on, or %-" },
      { "", "allowed: a file" }, { "-", "got %- and %-%-json, which both write", "--json" },
      { journal, "it is a journal; allowed: another file" },
    }
    for _, case in ipairs(cases) do
      local ran, desk = desks.once(nil, "failover", "pg-orders", "--yes", "--events", case[1],
        case[3])
      assert.equal(2, ran.code)
      assert.matches(case[2], ran.err .. ran.out)
      assert.same({}, desk:ledger())
    end
    assert.equal('{"seq":1,"prev":"0', scratch.read(journal))
  end)

  it("fails nothing where nothing can be written, which is told once", function()
    local fifo = scratch.path ".fifo"
    assert(os.execute(("mkfifo '%s'"):format(fifo)))
    for path, words in pairs { ["/dev/full"] = "no space left", [fifo] = "nobody reads from it",
      ["/no/such/file"] = "no such file", ["64999"] = "descriptor 64999: " } do
      local ran = desks.once(nil, "failover", "pg-orders", "--yes", "--events", path)
      assert.equal(0, ran.code, ran.err)
      local _, times = ran.err:gsub("warning: %-%-events: [^\n]*" .. words, "")
      assert.equal(1, times, ran.err)
    end
  end)

  it("waits for no reader, and ends a line that it has begun", function()
    local fifo = scratch.path ".fifo"
    assert(os.execute(("mkfifo '%s'"):format(fifo)))
    local reader <close> = assert(io.open(fifo, "r+"))
    local sink <close> = assert(core.open_sink(fifo))
    local filled = 0
    repeat
      local count = sink:write(("x"):rep(4096))
      filled = filled + count
    until count == 0
    local ran = desks.once(nil, "failover", "pg-orders", "--yes", "--events", fifo)
    assert.equal(0, ran.code)
    assert.matches("%-%-events: they are not read; no more events are written", ran.err)
    assert.equal(filled, #reader:read(filled))
  end)

  it("takes standard output and leaves it nothing else, or a descriptor", function()
    local emulator <close> = process.start_emulator()
    local text, ok = emulator:shell [[cd "$TMPDIR"
      alicloud-dr failover pg-orders --region cn-shanghai --yes --events - >out 2>err
      grep -q failovered err && cat out]]
    assert.is_true(ok, text)
    check(lines_of(text), "change")
    text = emulator:shell [[cd "$TMPDIR"; rm -f out
      alicloud-dr failover pg-payments --region cn-shanghai --yes --events 3 3>out >/dev/null 2>&1
      cat out]]
    check(lines_of(text), "change")
    -- A reader that goes away at once.
    text = emulator:shell [[cd "$TMPDIR"
      { alicloud-dr drill start pg-orders --region cn-shanghai --yes --events - 2>err
        echo "ended $?" >code; } | true; cat code]]
    assert.matches("^ended [01]\n", text)
  end)

  it("ends with an end when it is interrupted", function()
    local emulator <close> = process.start_emulator { speed = 0 }
    for signal, code in pairs { TERM = 143, INT = 130 } do
      local path = scratch.path ".ndjson"
      local output = emulator:interrupt(("alicloud-dr failover pg-orders --region cn-shanghai "
        .. "--yes --events '%s'"):format(path), "failovering", signal)
      assert.matches("^exit code " .. code, output)
      local list = lines_of(scratch.read(path))
      check(list, "change")
      assert.same({ code, "interrupted" }, { list[#list].exit, list[#list].status })
    end
  end)
end)
