-- What a journal proves: signed ends, witnesses, genuine approvals, and what is forged.

local anchors = require "alicloud.dr.playbook.anchor"
local approvals = require "alicloud.dr.playbook.approval"
local behaviour = require "spec.server.behaviour"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local dr = require "alicloud.dr"
local events = require "alicloud.dr.playbook.events"
local journals = require "alicloud.dr.journal"
local proofs = require "alicloud.dr.playbook.proof"
local reply = require "spec.server.reply"
local scratch = require "spec.scratch"
local servers = require "spec.server"
local stages = require "spec.dr.playbook.stage"

local SEEDS = { dba = ("11"):rep(32), lead = ("22"):rep(32), stranger = ("44"):rep(32) }
local KEYS = {}
for name, seed in pairs(SEEDS) do KEYS[name] = core.ed25519_public(seed) end

-- A text of the same records, changed by a function, with sums that are right.
local function sealed(list, change)
  local copy = core.decode(core.encode(core.array(list)), { max_bytes = 1 << 24 })
  local text, head = {}, journals.FIRST
  copy = change and change(copy) or copy
  for i, event in ipairs(copy) do text[i], head = journals.line(i, head, event) end
  return table.concat(text)
end

local function proof_of(text, keys)
  local reading = assert(events.read(text))
  return proofs.of(reading.events, reading.sums, keys), reading
end

local function texts(proof)
  local list = {}
  for i, each in ipairs(proof.forged) do list[i] = each.text end
  return table.concat(list, "; ")
end

local function signed(options)
  local stage = stages.new()
  local given = { sign = { by = "operator", key = SEEDS.stranger } }
  for name, value in pairs(options or {}) do given[name] = value end
  local result, err = stage:run(stage:move(), given)
  return stage, result, err
end

-- A gate that two of two have opened.
local function approved(from)
  local stage = stages.new()
  local book = dr.playbook("gated", function(run)
    run:gate("promote", { need = 2, of = from == "playbook" and { dba = KEYS.dba,
      lead = KEYS.lead } or { "dba", "lead" } })
    run:step("a", function() return true end)
  end)
  assert(stage:run(book, { approvers = KEYS, approvers_from = "file /etc/approvers",
    progress = function(event)
      if event.type ~= "gate_open" then return end
      for _, name in ipairs { "dba", "lead" } do
        stage.disk:open("run"):post(core.encode(approvals.sign(event.decision, name,
          math.floor(stage.bench.emu:now()), SEEDS[name])))
      end
    end }))
  return stage, book
end

local function changed(kind, edit)
  return function(list)
    for _, event in ipairs(list) do
      if event.type == kind then edit(event) end
    end
    return list
  end
end

describe("the end of an attempt", function()
  it("is signed however it ends, and vouches for all before it", function()
    local stage, result = signed()
    local proof, reading = proof_of(stage.disk:text "run")
    assert.same({}, proof.forged)
    assert.equal(#reading.events - 1, proof.vouched)
    assert.equal(reading.head, result.head)
    assert.equal(KEYS.stranger, stage:events("attempt")[1].key)
    -- Stopped, then interrupted; nobody has signed the attempt between.
    stage = stages.new()
    local book = dr.playbook("x", function(run)
      run:step("a", function()
        if run.attempt == 3 then error "interrupted!" end
        assert(run.attempt > 3, "not yet")
      end)
    end)
    local sign = { by = "operator", key = core.secret(SEEDS.stranger) }
    stage:run(book, { sign = sign })
    stage:run(book)
    stage:run(book, { sign = sign })
    local kinds = {}
    for _, event in ipairs(stage:events()) do kinds[#kinds + 1] = event.type end
    assert.matches("stopped signed attempt .*stopped attempt .*interrupted signed$",
      table.concat(kinds, " "))
    proof = proof_of(stage.disk:text "run")
    assert.same({}, proof.forged)
    assert.equal(2, #proof.ends)
  end)

  it("does not vouch for other records, and a wrong key is refused before anything", function()
    local stage = signed()
    local list = stage:events()
    local proof = proof_of(sealed(list, changed("run", function(event)
      event.requester = "somebody"
    end)))
    assert.matches("it is over other records", texts(proof))
    assert.equal(0, proof.vouched)
    proof = proof_of(sealed(list, changed("signed", function(event) event.by = "anna" end)))
    assert.matches("its signature is wrong", texts(proof))
    proof = proof_of(sealed(list), { operator = KEYS.dba })
    assert.matches("another key of operator than the one at hand", texts(proof))
    assert.has_error(function() signed { sign = { by = "x", key = "short" } } end)
  end)

  it("is told in every form, with what nobody vouches for", function()
    local stage = signed()
    local path = scratch.file(stage.disk:text "run")
    local report = assert(dr.report(path))
    for _, form in ipairs { "md", "html", "junit" } do
      local text = report:render(form)
      assert.matches("records 1 to %d+ are signed by operator", text)
      assert.matches("whose key that is, the journal does not show", text)
      assert.matches("whoever can write the file can make all sums anew", text)
    end
    local known = assert(dr.report(path, { approvers = { operator = KEYS.stranger } }))
    assert.matches("by the key at hand", known:render "md")
    local bare = stages.new()
    bare:run(bare:move())
    assert.matches("no key vouches for any record", assert(dr.report(bare:events())):render "md")
  end)
end)

describe("a witness", function()
  it("is told three times, and what it answers is kept; that it fails stops nothing", function()
    local notices = {}
    local stage, result = signed { anchor = function(notice)
      notices[#notices + 1] = notice.moment
      if #notices == 1 then return "noted as \27[31m7\nand more" end
      if #notices == 2 then return nil, "the witness is away" end
      error "a fault of its own"
    end }
    assert.equal("completed", result.status)
    assert.same({ "begin", "no_return", "end" }, notices)
    local told = stage:events "anchored"
    assert.equal("noted as \\x1b[31m7", told[1].answer)
    assert.same({ true, false, false }, { told[1].ok, told[2].ok, told[3].ok })
    assert.equal("the witness is away", told[2].answer)
    local proof, reading = proof_of(stage.disk:text "run")
    assert.same({}, proof.forged)
    assert.equal(reading.sums[told[2].records], told[2].head)
    proof = proof_of(sealed(stage:events(), changed("run", function(event)
      event.requester = "somebody"
    end)))
    assert.matches('handed over at "begin" is not the sum of record 2', texts(proof))
  end)

  it("may be interrupted: behind the end that changes nothing, before it the run ends", function()
    local _, result = signed { anchor = function(notice)
      if notice.moment == "end" then error "interrupted!" end
      return "noted"
    end }
    assert.equal("completed", result.status)
    local stage, none, err = signed { anchor = function() error "interrupted!" end }
    assert.is_nil(none)
    assert.equal("Client.Interrupted", err.code)
    assert.equal(1, #stage:events "interrupted")
  end)

  it("may be a program, whose first line is its answer", function()
    local path = scratch.path()
    local stage = signed { anchor = ("echo $ALICLOUD_DR_MOMENT $ALICLOUD_DR_RECORDS "
      .. "$ALICLOUD_DR_HEAD >>'%s'; echo kept; echo more"):format(path) }
    local told = stage:events "anchored"
    assert.equal("kept", told[1].answer)
    local noted = scratch.read(path)
    for _, event in ipairs(told) do
      assert.is_truthy(noted:find(("%s %d %s\n"):format(event.moment, event.records, event.head), 1,
        true))
    end
    stage = signed { anchor = "echo no; exit 3" }
    assert.same({ false, "exit code 3: no" }, { stage:events("anchored")[1].ok,
      stage:events("anchored")[1].answer })
    local place = scratch.path()
    stage = signed { anchor = ("sleep 600 & echo $! >>%s; echo noted; echo no"):format(place) }
    assert.same({ true, "noted" }, { stage:events("anchored")[1].ok,
      stage:events("anchored")[1].answer })
    assert(os.execute("kill " .. scratch.read(place):gsub("\n", " ")))
  end)
end)

describe("a witness behind a URL", function()
  local function told(url, server)
    local transport, written
    local engine = { options = { anchor = url }, told = {}, state = { run = { run_id = "r" } },
      journal = { seq = 7, head = ("a"):rep(64) }, runtime = { time = core.time },
      write = function(_, event) written = event end,
      loop = { now = core.monotonic, wait = function(given)
        transport = given
        server:step()
        transport:wait(0.01)
        transport:step()
      end } }
    anchors.tell(engine, "end")
    return written
  end

  it("gets a POST, and its answer's first line is kept", function()
    local server <close> = servers.new(behaviour.answer(reply.http "kept as 12\r\nmore"))
    local event = told(server.url .. "/heads?token=hush", server)
    assert.equal("kept as 12", event.answer)
    assert.is_true(event.ok)
    assert.equal(server.url .. "/heads?…", event.to)
    local request = server:requests()[1]
    assert.matches("^POST /heads%?token=hush HTTP", request)
    assert.matches('"head":"' .. ("a"):rep(64) .. '"', request)
  end)

  it("may refuse, which is noted", function()
    local refusal = reply.http("no", { status = "503 Service Unavailable" })
    local server <close> = servers.new(behaviour.answer(refusal))
    local event = told(server.url, server)
    assert.same({ false, "HTTP status 503" }, { event.ok, event.answer })
  end)
end)

describe("an approval in a journal", function()
  it("is checked, and its report says by which key and who gave that", function()
    local stage = approved "playbook"
    local path = scratch.file(stage.disk:text "run")
    assert.same({}, proof_of(stage.disk:text "run").forged)
    local text = assert(dr.report(path)):render "html"
    assert.matches("approved by dba, [^<]+ %(key " .. KEYS.dba:sub(1, 16)
      .. "…, signature checked against the key in the journal, which says that the playbook "
      .. "holds it%)", text)
    text = assert(dr.report(scratch.file(approved().disk:text "run"))):render "html"
    assert.matches("that whoever ran it gave it, not the playbook: file /etc/approvers", text)
    text = assert(dr.report(path, { approvers = { dba = KEYS.dba } })):render "html"
    assert.matches("approved by dba, [^<]+signature checked by the key at hand", text)
    assert.matches("not verified: an approval by lead: no key of lead is at hand", text)
    assert.matches("gate &quot;promote&quot; is not proven by the keys at hand: only 1 of 2", text)
    assert.matches("passed, not checked", text)
  end)

  it("of nobody whom the reader knows fails verify, which passes by its own keys", function()
    local text = approved("playbook").disk:text "run"
    local path, desk = scratch.file(text, ".jsonl", "600"), desks.new()
    local function verify(keys)
      return desk:run("verify", path, "--approvers", scratch.file(keys, nil, "600"))
    end
    local both = ("dba %s\nlead %s\n"):format(KEYS.dba, KEYS.lead)
    local ran = verify(both)
    assert.equal(0, ran.code, ran.err)
    assert.matches("gate promote: approved by lead, .*signature checked by the key at hand",
      ran.out)
    for _, keys in ipairs { "dba " .. KEYS.dba .. "\n", "eve " .. KEYS.stranger .. "\n",
      both:gsub(KEYS.lead, KEYS.stranger), "" } do
      ran = verify(keys)
      assert.equal(1, ran.code)
      assert.matches("promote", ran.err)
    end
    assert.equal(0, desk:run("verify", path).code)
  end)

  it("is called forged if anything of it is, and then its gate is not proven", function()
    local list = approved("playbook"):events()
    local cases = {
      { "approval", function(event) event.signature = ("0"):rep(128) end, "signature is wrong" },
      { "approval", function(event) event.by = "eve" end, "eve is not among those" },
      { "approval", function(event) event.decision = ("0"):rep(64) end, "nobody was asked" },
      { "approval", function(event) event.decision = nil end, "nobody was asked" },
      { "run", function(event) event.params = { group = "x" } end, "the params in what was asked" },
      { "run", function(event) event.requester = "dba" end, "the requester in what was asked" },
      { "gate_open", function(event) event.decision.need = 1 end, "nobody was asked" },
      { "gate_pass", function(event) event.decision = nil end, "it does not say for which" },
    }
    for _, case in ipairs(cases) do
      local text = sealed(list, changed(case[1], case[2]))
      local proof = proof_of(text)
      assert.is_truthy(texts(proof):find(case[3], 1, true), case[3] .. " in " .. texts(proof))
      local report = assert(dr.report(scratch.file(text)))
      assert.matches("# ✘ Completed by its own word, and something in it is forged: gated",
        report:render "md")
      assert.matches("✘ not proven", report:render "md")
      assert.matches("forged: line %d", report:render "md")
      assert.matches('<failure message="forged', report:render "junit")
    end
    -- One that is missing.
    local text = sealed(list, function(copy)
      for i = #copy, 1, -1 do
        if copy[i].type == "approval" and copy[i].by == "lead" then table.remove(copy, i) end
      end
      return copy
    end)
    assert.matches("only 1 of 2 approvals are genuine", texts(proof_of(text)))
    local proof = proof_of(sealed(list), { dba = KEYS.stranger, lead = KEYS.lead })
    assert.matches("another key of dba than the one at hand", texts(proof))
  end)

  it("does not count for what was decided between it and the passing of its gate", function()
    local list = approved("playbook"):events()
    local function with(at, event)
      return function(copy)
        for i, each in ipairs(copy) do
          if each.type == "gate_pass" then
            event.at = each.at
            table.insert(copy, i + at, event)
            return copy
          end
        end
      end
    end
    local loss = { type = "accept_loss", seconds = 86400, by = "operator", why = "in a hurry" }
    local mode = { type = "mode", mode = "ungraceful", by = "operator", why = "in a hurry" }
    for field, event in pairs { accept_loss = loss, mode = mode } do
      local text = sealed(list, with(0, event))
      assert.matches(('gate "promote" is written down as passed, but the %s is not what was '
        .. "approved"):format(field), texts(proof_of(text)))
      assert.matches("✘ not proven", assert(dr.report(scratch.file(text))):render "md")
      -- Later, it is no lie, but nobody has approved it.
      text = sealed(list, with(1, event))
      assert.equal("", texts(proof_of(text)))
      assert.matches("in a hurry %(after gate promote was passed, so nobody has approved it%)",
        assert(dr.report(scratch.file(text))):render "md")
    end
  end)

  it("is missed by no end that leaves it out", function()
    local text = sealed(approved("playbook"):events(), changed("gate_pass", function(event)
      event.broken, event.why, event.by, event.approvals = true, "in a hurry", "operator", 0
    end))
    local report = assert(dr.report(scratch.file(text)))
    assert.same({ 'gate "promote" was broken open: in a hurry' }, report.exceptions)
    assert.is_nil(report:render "md":find("nothing was left out", 1, true))
  end)

  it("of an older version is not verified, and is not called approved", function()
    local text = sealed(approved("playbook"):events(), function(list)
      for _, event in ipairs(list) do event.decision = nil end
      return list
    end)
    local report = assert(dr.report(scratch.file(text)))
    assert.same({}, report.vouching.forged)
    assert.matches("passed, not checked", report:render "md")
    assert.is_nil(report:render "md":find "approved by")
    assert.equal(1, #proof_of(text, KEYS).unproven)
  end)

  it("is no second person's if its key is the requester's own", function()
    local stage = stages.new()
    local book = dr.playbook("gated", function(run)
      run:gate("promote", { need = 1, of = { dba = KEYS.dba } })
    end)
    local _, err = stage:run(book, { sign = { by = "operator", key = SEEDS.dba },
      progress = function(event)
        if event.type ~= "gate_open" then return end
        stage.disk:open("run"):post(core.encode(approvals.sign(event.decision, "dba",
          math.floor(stage.bench.emu:now()), SEEDS.dba)))
      end })
    assert.equal("Client.GateExpired", err.code)
    assert.matches("its key is also that of operator, who runs it", stage:events("note")[1].text)
  end)
end)
