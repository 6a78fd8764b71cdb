-- The commands around a playbook, at a desk: run, resume, approve, ungraceful, verify.

local desks = require "spec.cli.desk"
local journals = require "alicloud.dr.journal"
local scratch = require "spec.scratch"

local room = desks.room

local function journal_of(ran)
  return ran.out:match("journal (%S+%.jsonl)") or ran.err:match("(%S+%.jsonl)")
end

describe("alicloud-dr run", function()
  it("runs a playbook, keeps its journal, and begins anew when it has finished", function()
    local desk, file, directory = room()
    local ran = desk:run("run", file, "--region", "cn-shanghai", "max_rpo=20m")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ check", ran.out)
    assert.matches("failover pg%-orders, client token %x+…", ran.out)
    assert.matches("✔ completed, RTO 5%d s, RPO 7m1%ds", ran.out)
    local first = journal_of(ran)
    assert.matches("^" .. directory:gsub("%p", "%%%0") .. "/journals/orders%-%x+%-1%.jsonl$", first)
    assert.equal(1, #desk:ledger())
    ran = desk:run("run", file, "--region", "cn-shanghai", "max_rpo=20m")
    assert.equal(0, ran.code, ran.err)
    assert.matches("%-2%.jsonl$", journal_of(ran))
    assert.equal(1, #desk:ledger())
  end)

  it("begins anew though a hook has written behind the end of the run before", function()
    local desk, file = room [[
      return require("alicloud.dr").playbook("x", function(run)
        run:on("finished", function() run:note "told the pager" end)
        run:step("a", function() return 1 end)
      end)]]
    local ran = desk:run("run", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("told the pager", ran.out)
    ran = desk:run("run", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("%-2%.jsonl$", journal_of(ran))
    assert.matches("✔ a ", ran.out)
  end)

  it("tells in one object", function()
    local desk, file = room()
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--json")
    assert.equal(0, ran.object.exit)
    assert.equal("completed", ran.object.status)
    assert.equal("promote", ran.object.steps[2].step)
    assert.equal(64, #ran.object.head)
    assert.is_number(ran.object.marks.verified)
  end)

  it("goes on with an unfinished run, and says how", function()
    local desk, file = room(nil, { group = { recover_point_age = 3000 } })
    local ran = desk:run("run", file, "--region", "cn-shanghai", "max_rpo=20m")
    assert.equal(1, ran.code)
    assert.matches("✘ check .*Client.RecoveryPointTooOld", ran.out)
    local path = journal_of(ran)
    assert.is_truthy(ran.err:find("go on:  alicloud-dr resume " .. path
      .. " --region cn-shanghai\n", 1, true), ran.err)
    ran = desk:run("run", file, "--region", "cn-shanghai", "max_rpo=20m", "--skip",
      "check=seen", "--accept-loss", "1h", "--why", "the region is gone")
    assert.equal(0, ran.code, ran.err)
    assert.equal(path, journal_of(ran))
    assert.matches("going on, process 2 of this run", ran.out)
    assert.matches("completed with exceptions", ran.out)
    assert.matches('! step "check" was skipped: seen', ran.out)
    assert.equal(1, #desk:ledger())
  end)

  it("refuses what is wrong on the command line, and sends nothing", function()
    local desk, file, directory = room()
    scratch.write(directory .. "/none.lua", "return 5")
    scratch.write(directory .. "/broken.lua", "return (")
    for _, case in ipairs {
      { { file, "x" }, "parameter: got \"x\"; allowed: key=value" },
      { { file, "db_password=x" }, "give a secret through the environment" },
      { { directory .. "/missing.lua" }, "no such file" },
      { { directory .. "/none.lua" }, "allowed: a file that returns dr.playbook" },
      { { directory .. "/broken.lua" }, "unexpected symbol" },
      { { file, "--accept-loss", "1h" }, "--accept-loss: needs --why" },
      { { file, "--skip", "x" }, "--skip: got \"x\"; allowed: NAME=TEXT" },
      { { file, "--kind", "holiday" }, "kind" },
      { { file, "--approvers", file }, "--approvers:" },
    } do
      local ran = desk:run("run", "--region", "cn-shanghai", table.unpack(case[1]))
      assert.equal(2, ran.code, case[2])
      assert.is_truthy(ran.err:find(case[2], 1, true), ran.err)
    end
    assert.same({}, desk:requests())
  end)

  it("asks whoever is at the terminal", function()
    local desk, file = room([[
      return require("alicloud.dr").playbook("ask", function(run)
        run:step("a", { on_error = "ask" }, function() error "broken" end)
      end)]], { input_tty = true, typed = { "a", "s" } })
    local ran = desk:run("run", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("%? a: .*broken\n    %(a%)gain, %(s%)kip or sto%(p%): ", ran.err)
    ran = desk:run("run", file, "--region", "cn-shanghai", "--no-ask")
    assert.equal(1, ran.code)
  end)

  it("skips nothing unless that is what was typed", function()
    for _, typed in ipairs { "stop", "STOP", "sto", "shrug", "no", "p", "", "again?" } do
      local desk, file = room([[
        return require("alicloud.dr").playbook("ask", function(run)
          run:step("a", { on_error = "ask" }, function() error "broken" end)
        end)]], { input_tty = true, typed = { typed } })
      local ran = desk:run("run", file, "--region", "cn-shanghai")
      assert.equal(1, ran.code, typed)
      assert.is_nil(ran.out:find("skipped", 1, true), typed)
    end
    for _, typed in ipairs { "skip", " S ", "Skip" } do
      local desk, file = room([[
        return require("alicloud.dr").playbook("ask", function(run)
          run:step("a", { on_error = "ask" }, function() error "broken" end)
        end)]], { input_tty = true, typed = { "AGAIN", typed } })
      local ran = desk:run("run", file, "--region", "cn-shanghai")
      assert.equal(0, ran.code, typed)
      assert.matches("skipped: failed: ", ran.out)
    end
  end)

  it("never shows a line of an approvers' file, which may be somebody's key", function()
    local desk, file, directory = room()
    local made = desk:run("approve", "--new-key", directory .. "/dba", "--as", "dba")
    assert.equal(0, made.code, made.err)
    local handle <close> = assert(io.open(directory .. "/dba"))
    local seed = handle:read "l"
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--approvers",
      directory .. "/dba")
    assert.equal(2, ran.code)
    assert.matches("%-%-approvers: .*/dba: line 1: allowed: NAME and a key of 64", ran.err)
    assert.is_nil((ran.err .. ran.out):find(seed, 1, true))
  end)

  it("takes no approvers' file that gives a name two keys", function()
    local desk, file, directory = room()
    local lines = "dba " .. ("ab"):rep(32) .. "\n"
    for second, code in pairs { [("AB"):rep(32)] = 0, [("cd"):rep(32)] = 2 } do
      scratch.write(directory .. "/keys", lines .. "# again\ndba " .. second .. "\n")
      local ran = desk:run("run", file, "--region", "cn-shanghai", "--approvers",
        directory .. "/keys", "--new")
      assert.equal(code, ran.code, ran.err)
      if code == 2 then
        assert.matches("line 3: dba has another key in a line above", (ran.err:gsub("\n%s*", " ")))
      end
    end
  end)
end)

describe("alicloud-dr resume", function()
  it("is told the way to the cloud that the run had", function()
    local desk, file = room [[
      return require("alicloud.dr").playbook("x", function(run)
        run:step("a", function() error "not yet" end)
      end)]]
    desk.env.ALIBABA_CLOUD_CONFIG_FILE = scratch.file [[{"current":"dr","profiles":[{"name":"dr",
      "mode":"AK","access_key_id":"emulator","access_key_secret":"emulator-secret"}]}]]
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--profile", "dr", "--network",
      "vpc", "--resolve", "ebs.cn-shanghai.aliyuncs.com=10.0.0.1", "--failed-region",
      "cn-hangzhou", "--wait-for-cloud", "4h", "--as", "night shift")
    assert.equal(1, ran.code)
    assert.is_truthy(ran.err:find(" --region cn-shanghai --profile dr --failed-region cn-hangzhou "
      .. "--wait-for-cloud 4h --as 'night shift' --network vpc "
      .. "--resolve ebs.cn-shanghai.aliyuncs.com=10.0.0.1\n", 1, true), ran.err)
  end)

  it("goes on from the journal alone", function()
    local desk, file, directory = room [[
      return require("alicloud.dr").playbook("two", function(run)
        run:step("a", function() return 1 end)
        run:step("b", function() assert(io.open(run.params.dir .. "/ready")):close() end)
      end)]]
    local ran = desk:run("run", file, "--region", "cn-shanghai", "dir=" .. directory)
    assert.equal(1, ran.code)
    local path = journal_of(ran)
    scratch.write(directory .. "/ready", "")
    ran = desk:run("resume", path)
    assert.equal(0, ran.code, ran.err)
    assert.is_nil(ran.out:find("✔ a", 1, true))
    assert.matches("✔ b", ran.out)
    ran = desk:run("resume", path, "--json")
    assert.equal("completed", ran.object.status)
    assert.equal(2, ran.object.attempts)
  end)

  it("refuses what is no journal", function()
    local desk, file, directory = room()
    local ran = desk:run("resume", directory .. "/none.jsonl")
    assert.equal(1, ran.code)
    local _, named = ran.err:gsub("none%.jsonl", "")
    assert.equal(1, named, ran.err)
    assert.matches("none%.jsonl: no such file or directory", ran.err)
    assert(os.execute("chmod 600 " .. file))
    ran = desk:run("resume", file)
    assert.equal(1, ran.code)
    assert.matches("line 1 is not a line of a journal", ran.err)
  end)
end)

describe("alicloud-dr verify", function()
  it("finds an edited line, and an end that was cut off", function()
    local desk, file = room()
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--json")
    local path, head = ran.object.journal, ran.object.head
    ran = desk:run("verify", path, "--head", head)
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ %d+ records.*completed", ran.out)
    local text = scratch.read(path)
    scratch.write(path, (text:gsub("[^\n]*\n$", "")))
    assert.equal(0, desk:run("verify", path).code)
    ran = desk:run("verify", path, "--head", head)
    assert.equal(1, ran.code)
    assert.matches("no line has the sum .*the end was cut off or lines were made anew", ran.err)
    scratch.write(path, (text:gsub('"check"', '"cheek"', 1)))
    ran = desk:run("verify", path, "--json")
    assert.equal(1, ran.code)
    assert.matches("line %d+ was changed after it was written", ran.object.error.message)
    assert.is_number(ran.object.error.line)
    assert.equal(2, desk:run("verify", path, "--head", "x").code)
    -- What was never acknowledged is no line, whatever sum it has.
    scratch.write(path, (text:gsub("\n$", "")))
    ran = desk:run("verify", path, "--head", head)
    assert.equal(1, ran.code)
    assert.matches("no line has the sum .*the end was cut off or lines were made anew", ran.err)
  end)
end)

describe("alicloud-dr approve", function()
  local GATED = [[
    return require("alicloud.dr").playbook("gated", function(run)
      run:gate("promote", { need = 2, of = { "dba", "lead", "duty" }, expires = "15m" })
      run:step("a", function() return 1 end)
    end)]]

  local function gated()
    local desk, file, directory = room(GATED)
    local keys = {}
    for _, name in ipairs { "dba", "lead", "duty" } do
      local ran = desk:run("approve", "--new-key", directory .. "/" .. name, "--as", name)
      assert.equal(0, ran.code, ran.err)
      assert.matches("^" .. name .. " " .. ("%x"):rep(64) .. "\n$", ran.out)
      keys[#keys + 1] = ran.out
    end
    scratch.write(directory .. "/approvers", "# who may\n" .. table.concat(keys))
    local function run()
      return desk:run("run", file, "--region", "cn-shanghai", "--approvers",
        directory .. "/approvers")
    end
    return desk, run, directory
  end

  it("lets two of three open a gate, each with a key of his own", function()
    local desk, run, directory = gated()
    local ran = run()
    assert.equal(1, ran.code)
    assert.matches("gate promote: 2 of dba, duty, lead, within 15m", ran.out)
    assert.matches("0 of 2 approvals within 15m", ran.err)
    local path = journal_of(ran)
    assert.matches("next         alicloud%-dr resume %S+ %-%-approvers FILE\n",
      desk:run("explain", path).out)
    -- The gate is closed again when its time is over; it opens when the run goes on.
    local refused = desk:run("approve", path, "promote", "--as", "dba", "--key",
      directory .. "/dba")
    assert.equal(2, refused.code)
    assert.matches("an open gate; none is open", refused.err)
    local sleep = desk.bench.emu.runtime.sleep
    local approved
    desk.bench.emu.runtime.sleep = function(seconds)
      sleep(seconds)
      if approved then return end
      approved = {}
      approved.dba = desk:run("approve", path, "promote", "--as", "dba", "--key",
        directory .. "/dba")
      local line = desk:run("approve", path, "promote", "--as", "lead", "--key",
        directory .. "/lead", "--print").out:gsub("\n$", "")
      approved.lead = desk:run("approve", path, "--as", "operator", "--line", line)
      approved.rubbish = desk:run("approve", path, "--as", "operator", "--line", line:sub(1, -9))
      approved.stranger = desk:run("approve", path, "--as", "operator", "--line",
        (line:gsub('"run":"%x+"', '"run":"0123456789abcdef"')))
      approved.forged = desk:run("approve", path, "--as", "operator", "--line",
        (line:gsub('"by":"lead"', '"by":"duty"')))
      approved.own = desk:run("approve", path, "promote", "--as", "operator", "--key",
        directory .. "/duty")
      approved.wrong = desk:run("approve", path, "other", "--as", "duty", "--key",
        directory .. "/duty")
    end
    ran = run()
    assert.equal(0, ran.code, ran.err)
    assert.matches("approved by dba, key %x+…\n    approved by lead, key %x+…\n  ✔ gate promote",
      ran.out)
    assert.equal(0, approved.dba.code, approved.dba.err)
    assert.equal(0, approved.lead.code, approved.lead.err)
    assert.equal(2, approved.own.code)
    assert.equal(2, approved.rubbish.code)
    assert.matches("%-%-line: allowed: one line that approve %-%-print has printed for this run",
      approved.rubbish.err)
    assert.equal(2, approved.stranger.code)
    assert.equal(2, approved.forged.code)
    assert.matches("of duty: its signature is wrong; the run would not take", approved.forged.err)
    assert.matches("asked for this run and cannot approve it", approved.own.err)
    assert.matches("allowed: promote", approved.wrong.err)
  end)

  -- While the gate is open, once.
  local function while_open(desk, act)
    local sleep, acted = desk.bench.emu.runtime.sleep, false
    desk.bench.emu.runtime.sleep = function(seconds)
      sleep(seconds)
      if acted then return end
      acted = true
      act()
    end
  end

  it("shows what is signed, asks on a terminal, and takes no key but the known one", function()
    local desk, run, directory = gated()
    local path = journal_of(run())
    local function approve(...)
      return desk:run("approve", path, "promote", "--as", "dba", "--key", ...)
    end
    local said = {}
    while_open(desk, function()
      said.wrong = approve(directory .. "/lead")
      said.printed = approve(directory .. "/dba", "--print")
      desk.given.input_tty, desk.typed = true, { "n" }
      said.stands = desk:run("explain", path).out
      said.no = approve(directory .. "/dba")
      said.yes = approve(directory .. "/dba", "--yes")
    end)
    run()
    assert.equal(2, said.wrong.code)
    assert.matches("is the key %x+…, but the gate knows dba by %x+…", said.wrong.err)
    assert.matches('It waits at gate "promote" for 2 of dba, duty, lead%.', said.stands)
    assert.matches("next         alicloud%-dr approve %S+ promote %-%-as NAME %-%-key FILE",
      said.stands)
    assert.equal(1, said.no.code)
    assert.matches("nothing was signed", said.no.err)
    assert.equal(0, said.yes.code, said.yes.err)
    for _, word in ipairs { "gate         promote, of run %x+", "playbook     gated",
      "its digest   " .. ("%x"):rep(64), "kind         unplanned, graceful", "parameters   none",
      "asked for by operator", "approvals    2 of 3; each counts for 15m",
      "approver     dba, key %x+…, given by whoever runs it", "keys from    file .*/approvers" } do
      assert.matches(word, (said.yes.out:gsub("\n +", "\n")))
    end
    for shown in said.yes.out:gmatch "  [^\n]+" do
      assert.is_true(shown:find "✔" ~= nil or utf8.len(shown) <= 80, shown)
    end
    assert.matches("^What you sign:", said.printed.err)
    assert.matches("^{.*}\n$", said.printed.out)
  end)

  it("signs nothing on a journal that contradicts itself, and takes no line for a copy", function()
    local desk, run, directory = gated()
    local path = journal_of(run())
    local copy, said = directory .. "/copy.jsonl", {}
    local function edited(edit)
      local text, head, n = {}, ("0"):rep(64), 0
      for _, event in ipairs(assert(journals.read(scratch.read(path))).events) do
        edit(event)
        n = n + 1
        text[n], head = journals.line(n, head, event)
      end
      scratch.write(copy, table.concat(text))
      return desk:run("approve", copy, "promote", "--as", "dba", "--key", directory .. "/dba",
        "--print")
    end
    while_open(desk, function()
      said.contradicts = edited(function(event)
        if event.type == "run" then event.params = { group = "pg-empty" } end
      end)
      local whole = edited(function(event)
        if event.type == "run" then event.requester = "head" end
        if event.decision then event.decision.requester = "head" end
      end)
      assert.equal(0, whole.code, whole.err)
      said.line = desk:run("approve", path, "--as", "operator", "--line", whole.out:match "[^\n]+")
    end)
    run()
    assert.equal(2, said.contradicts.code)
    assert.matches("the params of what gate promote asks is not the one", said.contradicts.err)
    assert.equal(2, said.line.code)
    assert.matches("signed for something else", said.line.err)
  end)

  it("never shows or overwrites a key", function()
    local desk, _, directory = gated()
    local ran = desk:run("approve", "--new-key", directory .. "/dba", "--as", "dba")
    assert.equal(1, ran.code)
    assert.matches("it exists already", ran.err)
    local handle = assert(io.open(directory .. "/dba"))
    local seed = handle:read "l"
    handle:close()
    assert.is_nil(ran.err:find(seed, 1, true))
  end)
end)

describe("alicloud-dr ungraceful", function()
  it("leaves a line for the run, with name and reason", function()
    local desk, file = room [[
      return require("alicloud.dr").playbook("x", function(run)
        run:step("a", { graceful_only = true, on_error = "continue" },
          function() assert(run.attempt > 1, "hangs") end)
        run:step("b", function() assert(run.mode == "ungraceful") end)
      end)]]
    local path = journal_of(desk:run("run", file, "--region", "cn-shanghai"))
    assert.equal(2, desk:run("ungraceful", path).code)
    local ran = desk:run("ungraceful", path, "--why", "it is gone")
    assert.equal(0, ran.code, ran.err)
    ran = desk:run("resume", path)
    assert.equal(0, ran.code, ran.err)
    assert.matches("ungraceful from now on, by operator, left by .*: it is gone", ran.out)
  end)
end)
