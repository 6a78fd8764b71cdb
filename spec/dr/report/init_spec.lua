-- The evidence of a run: what is gathered from a journal, and what every form makes of it.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local gather = require "alicloud.dr.report.gather"
local journals = require "alicloud.dr.journal"
local scratch = require "spec.scratch"
local sources = require "alicloud.dr.report.source"
local stages = require "spec.dr.playbook.stage"

-- What somebody might call a step, to see what a report does with it.
local HOSTILE = {
  "</script><script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onload='alert(1)",
  "<!-- ]]> -->", "&lt;&amp;", "\u{202e}drowssap", "a\27[2Jb", "x\u{2028}y", "| **bold** | `c`",
  "\xff\xfe bad utf-8", "\u{feff}\u{fffe}",
}

-- A run that is stopped by a step, and ended by somebody else two hours later.
local function drill(given)
  local stage = stages.new(given)
  local emu = stage.bench.emu
  local book = dr.playbook("orders: move to Shanghai", function(run)
    local orders = run:group("pg-orders", { region = "cn-shanghai" })
    run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
    run:gate("go ahead", { need = 1, of = { dba = ("a"):rep(64) } })
    run:step("stop services", { marks = "old_side_fenced" }, function() emu:advance(38) end)
    run:step("promote", { point_of_no_return = true }, function()
      return orders:failover { max_rpo = "20m" }
    end)
    run:step("start", function()
      emu:advance(10)
      assert(run.attempt > 1, "i-7 does not start")
    end)
    run:step("warm", { on_error = "continue" }, function() error("cold", 0) end)
    run:verify("shop answers", function() return true end)
    run:note("done, call off the bridge")
  end)
  assert.is_nil(stage:run(book, { kind = "planned", requester = "anna", incident = "INC-1",
    declared = { rto = "15m", rpo = "10m" },
    skip = { ["gate:go ahead"] = "the dba is on the phone" },
    accept_loss = { seconds = 5400, by = "head of operations", why = "the region is lost" } }))
  emu:advance(7200)
  return stage, book
end

local function model_of(stage)
  return gather.model(sources.of_text(stage.disk:text "run"))
end

local function step(model, name, kind)
  for _, entry in ipairs(model.steps) do
    if entry.step == name and entry.kind == (kind or "step") then return entry end
  end
end

describe("the evidence of a run", function()
  it("tells targets, finish lines, people, calls and what was left out", function()
    local stage, book = drill()
    assert(stage:run(book, { requester = "boris" }))
    local model = model_of(stage)
    assert.equal("completed_with_exceptions", model.status)
    assert.equal("intact", model.chain.verdict)
    assert.equal(64, #model.chain.head)
    assert.same({ 900, false, "verified" }, { model.rto.declared, model.rto.met, model.rto.basis })
    assert.same({ 600, true }, { model.rpo.declared, model.rpo.met })
    assert.is_true(model.finish.old_side_fenced < model.finish.data_ready)
    assert.equal("promote", model.no_return.step)
    assert.same({ "anna", "boris" }, { model.processes[1].owner, model.processes[2].owner })
    assert.same({ "stopped", "finished" },
      { model.processes[1].ending, model.processes[2].ending })
    assert.same({ "head of operations", 5400 }, { model.losses[1].by, model.losses[1].seconds })
    assert.same({ 'gate "go ahead" was broken open: the dba is on the phone',
      'step "warm" failed: cold' }, model.exceptions)
    assert.equal("done, call off the bridge", model.notes[1].text)
    local promote = step(model, "promote")
    assert.equal("pg-orders", promote.group_id)
    assert.equal(8, #promote.calls[1].token)
    assert.equal("accepted", promote.calls[1].outcome)
    assert.matches("^%x+%-%x+%-", promote.calls[1].request_id)
    assert.equal("failovered", promote.result.outcome)
    local start = step(model, "start")
    assert.same({ 2, 20 }, { #start.spans, start.seconds })
    assert.equal("verify", step(model, "shop answers", "verify").kind)
    assert.equal("broken", step(model, "go ahead", "gate").status)
  end)

  it("tells where a run stopped, and that a refusal is not a failure", function()
    local stage = drill()
    local model = model_of(stage)
    assert.equal("failed", model.status)
    assert.equal("Client.StepFailed", model.error.code)
    stage = drill { group = { recover_point_age = 9000 } }
    model = model_of(stage)
    assert.equal("stopped", model.status)
    assert.equal("failed", step(model, "check").status)
    assert.is_nil(model.rto.met)
  end)

  it("tells of a process that was killed, and of what it had sent", function()
    local stage = stages.new()
    local function book(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("promote", function() return orders:failover { max_rpo = "20m" } end)
    end
    local sent
    assert.is_true(stage:run_until(book, function(call)
      sent = sent or #stage.bench:sends() > 0
      return sent and call.op == "append" and "crash"
    end))
    local model = model_of(stage)
    assert.equal("unfinished", model.status)
    assert.same({ "pg-orders", 1, true }, { model.open[1].group_id, model.open[1].sent,
      model.open[1].doubtful })
    assert.is_true(step(model, "promote").spans[1].cut)
    assert(stage:run(book))
    model = model_of(stage)
    assert.same({}, model.open)
    assert.equal("killed", model.processes[1].ending)
    assert.equal("completed", model.status)
  end)

  it("shows what is whole before damage, and says the damage", function()
    local stage = drill()
    local text = stage.disk:text "run"
    local bad = text:gsub('"step":"stop services"', '"step":"stop servicez"', 1)
    local report = assert(dr.report(scratch.file(bad)))
    assert.equal("damaged", report.chain.verdict)
    assert.equal("was changed after it was written", report.chain.reason)
    assert.equal(report.chain.line - 1, report.chain.records)
    assert.equal("done", step(report, "check").status)
    assert.matches("damaged: line " .. report.chain.line, report:render "md")
    report = assert(dr.report(scratch.file(text .. '{"seq":99')))
    assert.same({ "torn", 9 }, { report.chain.verdict, report.chain.torn_bytes })
    local head = report.chain.head
    local cut = scratch.file((text:gsub("[^\n]*\n$", "")))
    assert.equal("damaged", assert(dr.report(cut, { head = head })).chain.verdict)
    report = assert(dr.report(scratch.file(text), { head = head:sub(1, 16) }))
    assert.equal("intact", report.chain.verdict)
  end)

  it("is read from records too, and refuses what holds no run", function()
    local stage = drill()
    local report = assert(dr.report(stage:events()))
    assert.equal("unchecked", report.chain.verdict)
    local nothing, err = dr.report {}
    assert.is_nil(nothing)
    assert.equal("Client.JournalEmpty", err.code)
    nothing, err = dr.report "/nowhere/x.jsonl"
    assert.is_nil(nothing)
    assert.equal("ENOENT", err.errno)
    assert.has_error(function() dr.report(5) end)
    assert.has_error(function() dr.report({}, { haed = "00000000" }) end)
    assert.has_error(function() report:render "pdf" end)
  end)
end)

-- A journal whose every text is hostile.
local function hostile_report()
  local stage = stages.new()
  local book = dr.playbook("</title><script>alert(1)</script>", function(run)
    for _, name in ipairs(HOSTILE) do
      run:note(name)
      -- Slashes and control characters are no part of a step's name.
      local plain = journals.plain(name):gsub("[%c/]", "!")
      run:step(plain, { on_error = "continue" }, function() error(name, 0) end)
    end
    run:each({ "<b>lane" }, function(_, branch)
      branch:step("<i>in it", function() return { outcome = "<u>" } end)
    end)
  end)
  assert(stage:run(book, { requester = HOSTILE[1], skip = { ["'x"] = HOSTILE[2] } }))
  return assert(dr.report(scratch.file(stage.disk:text "run")))
end

local function assert_clean(text)
  assert.is_truthy(utf8.len(text))
  for _, harmful in ipairs { "[%z\1-\8\11-\31\127]", "\u{202e}", "\u{2028}", "\u{feff}",
    "\u{fffe}" } do
    assert.is_nil(text:find(harmful), harmful)
  end
end

describe("a report in HTML", function()
  it("holds no element that a name has brought", function()
    local page = hostile_report():render "html"
    assert_clean(page)
    for tag in page:gmatch("<(/?%a[%w]*)") do
      assert.is_nil(({ script = true, img = true, b = true, i = true, u = true })[
        tag:gsub("/", "")], tag)
    end
    assert.is_nil(page:find("<!--", 1, true))
    for attribute in page:gmatch("<%a[^>]*%s(on%l+)=") do error(attribute) end
    assert.is_truthy(page:find("&lt;script&gt;alert(1)", 1, true))
  end)

  it("loads nothing, and forbids itself to", function()
    local page = hostile_report():render "html"
    assert.is_truthy(page:find("default-src &#39;none&#39;", 1, true))
    for _, word in ipairs { "<link", "<script", "url(", "@import" } do
      assert.is_nil(page:find(word, 1, true), word)
    end
    for tag in page:gmatch("<[^>]*>") do
      assert.is_nil(tag:find("%s%l*%-?src=") or tag:find "href", tag)
    end
  end)

  it("draws every step, its lanes and its marks, and says the same in words", function()
    local stage, book = drill()
    assert(stage:run(book, { requester = "boris" }))
    local page = assert(dr.report(scratch.file(stage.disk:text "run"))):render "html"
    for _, text in ipairs { "point of no return", "data ready", "old side fenced",
      "service answers", "resumed by boris", "nobody ran it for 2h" } do
      assert.is_truthy(page:find(text, 1, true), text)
    end
    assert.equal(9, select(2, page:gsub('<rect class="bar ', "")) + 1)
    assert.is_truthy(page:find('<html lang="en">', 1, true))
    assert.is_truthy(page:find('<th scope="row">', 1, true))
  end)

  it("draws and counts alike in a locale with a decimal comma", function()
    local stage, book = drill()
    assert(stage:run(book, { requester = "boris" }))
    local report = assert(dr.report(scratch.file(stage.disk:text "run")))
    local before = os.setlocale(nil, "numeric")
    local _ <close> = setmetatable({}, { __close = function() os.setlocale(before, "numeric") end })
    local usual = { report:render "html", report:render "junit" }
    local found = os.setlocale("de_DE.UTF-8", "numeric") or os.setlocale("fr_FR.UTF-8", "numeric")
    assert.same(usual, { report:render "html", report:render "junit" }, found)
  end)

  it("gives a lane one row where there are too many steps", function()
    local stage = stages.new()
    local names = {}
    for i = 1, 20 do names[i] = "pg-" .. i end
    assert(stage:run(function(run)
      run:each(names, function(_, branch)
        for i = 1, 5 do branch:step("s" .. i, function() end) end
      end)
    end))
    local page = assert(dr.report(stage:events())):render "html"
    local height = tonumber(page:match('<svg[^>]-height="(%d+)"'))
    assert.is_true(height < 20 * 60, height)
    assert.equal(100, select(2, page:gsub('<rect class="bar ', "")))
  end)
end)

describe("a report in Markdown", function()
  it("makes no link of a text, no mention, no reference, no list and no cell", function()
    local md = require "alicloud.dr.report.md"
    for text, expected in pairs {
      ["ask @ops-lead, #123"] = "ask `@ops-lead`, `#123`",
      ["see http://x.example/a|b"] = "see `http://x.example/a`\\|`b`",
      ["www.x.example a@b.example"] = "`www.x.example` `a@b.example`",
      ["GH-12 !4 1234567 9b7666b4, deadbee"] = "`GH-12` `!4` `1234567` `9b7666b4`, `deadbee`",
      ["[x](y) ![z] 50% & more"] = "\\[x\\](y) !\\[z\\] 50% &amp; more",
      ["- [ ] x"] = "\\- \\[ \\] x", ["1. x"] = "1\\. x", ["```x"] = "\\`\\`\\`x",
      ["a@b`<c>"] = "`a@b`\\`\\<`c`\\>",
    } do
      assert.equal(expected, md.text(text))
    end
  end)

  it("is one table row for each step, whatever the step is called", function()
    local report = hostile_report()
    local text = report:render "md"
    assert_clean(text)
    local rows = text:match("## Steps\n(.-)\n\n## ") or text:match("## Steps\n(.*)$")
    local count = 0
    for row in rows:gmatch("[^\n]+") do
      if row:find("^|") then
        local cells = row:gsub("\\.", ""):gsub("[^|]", "")
        assert.equal(6, #cells, row)
        count = count + 1
      end
    end
    assert.equal(#report.steps + 2, count)
    assert.is_nil(text:gsub("\\<", ""):gsub("<br>", ""):find("<", 1, true))
  end)
end)

describe("a report for a CI", function()
  local function query(path, expression)
    local pipe = assert(io.popen(("xmllint --nonet --xpath '%s' '%s' 2>&1"):format(expression,
      path)))
    local answer = pipe:read "a"
    assert(pipe:close(), answer)
    return (answer:gsub("%s+$", ""))
  end

  it("is XML whose counts are those of its cases", function()
    local report = hostile_report()
    local path = scratch.file(report:render "junit")
    assert.equal(tostring(#report.steps + 3), query(path, "count(//testcase)"))
    assert.equal(query(path, "count(//testcase)"), query(path, "string(/testsuites/@tests)"))
    for _, kind in ipairs { "failure", "error" } do
      assert.equal(query(path, ("count(//testcase/%s)"):format(kind)),
        query(path, ("string(//testsuite/@%ss)"):format(kind)))
    end
    assert.equal("</title><script>alert(1)</script>", query(path, "string(//testsuite/@name)"))
  end)

  it("fails where a step, a target or the chain does", function()
    local stage, book = drill()
    assert(stage:run(book, { requester = "boris" }))
    local path = scratch.file(assert(dr.report(scratch.file(stage.disk:text "run"))):render "junit")
    local function verdict(name)
      return query(path, ('name(//testcase[@name="%s"]/*[1])'):format(name))
    end
    assert.equal("failure", verdict "warm")
    assert.equal("failure", verdict "recovery time")
    assert.equal("system-out", verdict "recovery point")
    assert.equal("system-out", verdict "journal chain")
    assert.equal("system-out", verdict "promote")
  end)
end)

describe("a report in JSON", function()
  it("is the model", function()
    local report = hostile_report()
    local object = assert(core.decode(report:render "json"))
    assert.equal(1, object.version)
    assert.equal(#report.steps, #object.steps)
    assert.equal(report.chain.head, object.chain.head)
  end)
end)

describe("two runs beside each other", function()
  local function run_of(names, seconds)
    local stage = stages.new()
    assert(stage:run(function(run)
      for _, name in ipairs(names) do
        run:step(name, { marks = "data_ready" }, function()
          stage.bench.emu:advance(seconds)
        end)
      end
    end))
    return assert(dr.report(stage:events()))
  end

  it("tell times, additions and removals", function()
    local compared = dr.compare(run_of({ "a", "b", "gone" }, 10), run_of({ "a", "b", "new" }, 4))
    assert.same({ 30, 12, -18 }, { compared.rto.a, compared.rto.b, compared.rto.difference })
    assert.same({ "a", 10, 4, -6 }, { compared.steps[1].step, compared.steps[1].a,
      compared.steps[1].b, compared.steps[1].difference })
    assert.equal("new", compared.added[1].step)
    assert.equal("gone", compared.removed[1].step)
    local text = compared:render "md"
    assert.matches("| a | 10 s | 4 s | −6 s |", text)
    assert.matches("| new %(added%) | – | 4 s |", text)
    assert.is_table(core.decode(compared:render "json").steps)
    assert.has_error(function() dr.compare({}, compared) end)
  end)
end)
