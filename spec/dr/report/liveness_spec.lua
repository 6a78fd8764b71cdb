-- Whether a run without an end is at work or was interrupted: what its lock tells, and where.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local files = require "alicloud.dr.store.file"
local scratch = require "spec.scratch"
local stages = require "spec.dr.playbook.stage"

local here = core.process()

-- A journal is its owner's alone.
local function write(path, text)
  scratch.write(path, text)
  os.execute(("chmod 600 '%s'"):format(path))
end

local function is_gone()
  local pipe <close> = assert(io.popen "echo $$")
  local pid = math.tointeger(tonumber(pipe:read "l"))
  pipe:close()
  return pid
end

-- The journal of a run whose machine stopped in the middle.
local function half()
  local stage = stages.new()
  local function book(run)
    local orders = run:group("pg-orders", { region = "cn-shanghai" })
    run:step("promote", function() return orders:failover { max_rpo = "20m" } end)
  end
  local sent
  assert(stage:run_until(book, function(call)
    sent = sent or #stage.bench:sends() > 0
    return sent and call.op == "append" and "crash"
  end))
  local path = scratch.directory() .. "/orders.jsonl"
  write(path, stage.disk:text "run")
  return path
end

-- Runs a playbook over a file, and gives what a report says meanwhile.
local function while_running(look)
  local stage, path = stages.new(), scratch.directory() .. "/orders.jsonl"
  local seen
  local result = assert(dr.run(dr.playbook("orders", function(run)
    run:step("look", function() seen = look(path) end)
    run:step("go on", function() return true end)
  end), { client = stage.bench.client, journal = path, requester = "anna" }))
  assert.equal("completed", result.status)
  local ended = assert(dr.report(path))
  assert.equal("completed", ended.status)
  assert.matches('"exceptions":%[%]', ended:render "json")
  return seen
end

describe("a report of a run without an end", function()
  it("says that it is at work, and who, and disturbs neither it nor a resume", function()
    local report = while_running(function(path) return assert(dr.report(path)) end)
    assert.equal("running", report.status)
    assert.equal(here.pid, report.presence.process.pid)
    assert.equal("running", report.processes[1].ending)
    assert.is_nil(report.resume)
    local step = report.steps[1]
    assert.same({ "running", false }, { step.status, step.spans[1].cut == true })
    assert.matches("| look | [^|]+ | [^|]+ | … under way |", report:render "md")
    assert.matches('<error message="under way" type="running">', report:render "junit")
    local words = ("It is still running: process %d of anna on %s, since 20"):format(here.pid,
      here.host)
    for _, form in ipairs { "md", "junit", "html" } do
      local text = report:render(form):gsub("\\", "")
      assert.truthy(text:find(words, 1, true), form .. ": " .. text)
      assert.is_nil(text:find("alicloud-dr resume", 1, true))
    end
    assert.matches('"status":"running"', report:render "json")
  end)

  it("says when it was interrupted, and how to go on", function()
    local path = half()
    write(path .. ".lock", "")
    local report = assert(dr.report(path))
    assert.equal("interrupted", report.status)
    assert.equal("gone", report.presence.verdict)
    assert.same({ "killed", report.ended_at },
      { report.processes[1].ending, report.processes[1].ended_at })
    assert.equal("alicloud-dr resume " .. path, report.resume)
    local when = core.iso8601(math.floor(report.ended_at)):gsub("T", " "):gsub("Z", " UTC")
    for _, form in ipairs { "md", "junit", "html" } do
      local text = report:render(form):gsub("\\", "")
      assert.truthy(text:find("It was interrupted after " .. when, 1, true), form)
      text = text:gsub("`", ""):gsub("</?code>", "")
      assert.truthy(text:find("Resume it with: " .. report.resume, 1, true), form)
    end
    local object = core.decode(report:render "json")
    assert.same({ "interrupted", report.resume }, { object.status, object.resume })
  end)

  it("says what it cannot know: another machine, a copy, records", function()
    local path = half()
    local copied = assert(dr.report(path))
    assert.same({ "unfinished", "no lock lies beside it" },
      { copied.status, copied.presence.why })
    assert.matches("nothing here can tell whether it is still running: no lock lies beside it",
      copied:render "md")
    write(path .. ".lock", "")
    local hold = files.hold
    finally(function() files.hold = hold end)
    files.hold = function(...)
      local found = hold(...)
      found.here = "elsewhere"
      return found
    end
    local foreign = assert(dr.report(path))
    assert.same({ "unfinished", ("it ran on %s, and this is elsewhere"):format(here.host) },
      { foreign.status, foreign.presence.why })
    local events = {
      { type = "run", at = 1, version = 1, playbook = "x", digest = "d", run_id = "r", params = {},
        kind = "drill", mode = "graceful", requester = "anna" },
      { type = "attempt", at = 2, n = 1, owner = "anna", host = "vm", pid = 1, digest = "d" },
    }
    assert.equal("unfinished", assert(dr.report(events)).status)
  end)

  it("does not take a run that ends meanwhile for one that was killed", function()
    local path = half()
    local hold, whole = files.hold, assert(files.read(path))
    finally(function() files.hold = hold end)
    local looks = 0
    files.hold = function()
      looks = looks + 1
      -- Between the two readings the run writes its last record and is gone.
      if looks == 1 then write(path, whole .. "{}") end
      return { here = here.host, held = false }
    end
    local report = assert(dr.report(path))
    assert.equal("torn", report.chain.verdict)
    assert.equal(2, looks)
    files.hold = function()
      looks = looks + 1
      write(path, whole .. ("{"):rep(looks))
      return { here = here.host, held = false }
    end
    assert.equal("running", assert(dr.report(path)).status)
  end)

  it("names a child that keeps the lock of a process that is gone", function()
    local path, pid = half(), is_gone()
    local store = assert(files.open(path))
    local lease = assert(store:lease("run", { owner = "ops", host = here.host, pid = pid,
      since = "2026-11-22T03:19:52Z" }))
    local report = assert(dr.report(path))
    -- The process is not at work any more, though its lock is held.
    assert.equal("unfinished", report.status)
    assert.is_nil(report.processes[1].ending)
    assert.truthy(report:render("junit"):find(("its lock is held, but process %d of ops is gone; a "
      .. "child that it has forked has the lock open until it ends"):format(pid), 1, true))
    local second <close> = setmetatable({ it = assert(files.open(path)) },
      { __close = function(held) held.it:close() end })
    local none, err = second.it:lease("run", { pid = 1, host = here.host })
    assert.is_nil(none)
    assert.matches("that process is gone, but a child", err.hint)
    lease:release()
    store:close()
    assert.equal("interrupted", assert(dr.report(path)).status)
  end)
end)
