-- The commands around a playbook, at a desk: run, resume, ungraceful, verify.

local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local room = desks.room

local function journal_of(ran)
  return ran.out:match("journal (%S+%.jsonl)") or ran.err:match("(%S+%.jsonl)")
end

describe("alicloud-dr run", function()
  it("runs a playbook, keeps its journal, and begins anew when it has finished", function()
    local desk, file, directory = room()
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ check", ran.out)
    assert.matches("failover pg%-orders, client token %x+…", ran.out)
    assert.matches("✔ completed, RTO 5%d s, RPO 7m1%ds", ran.out)
    local first = journal_of(ran)
    assert.matches("^" .. directory:gsub("%p", "%%%0") .. "/journals/orders%-%x+%-1%.jsonl$", first)
    assert.equal(1, #desk:ledger())
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m")
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
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("told the pager", ran.out)
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("%-2%.jsonl$", journal_of(ran))
    assert.matches("✔ a ", ran.out)
  end)

  it("tells in one object", function()
    local desk, file = room()
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--json")
    assert.equal(0, ran.object.exit)
    assert.equal("completed", ran.object.status)
    assert.equal("promote", ran.object.steps[2].step)
    assert.equal(64, #ran.object.head)
    assert.is_number(ran.object.marks.verified)
  end)

  it("goes on with an unfinished run, and says how", function()
    local desk, file = room(nil, { group = { recover_point_age = 3000 } })
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m")
    assert.equal(1, ran.code)
    assert.matches("✘ check .*Client.RecoveryPointTooOld", ran.out)
    local path = journal_of(ran)
    assert.is_truthy(ran.err:find("go on:  alicloud-dr resume " .. path
      .. " --region cn-shanghai\n", 1, true), ran.err)
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "max_rpo=20m", "--skip",
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
      local ran = desk:run("run", "-y", "--region", "cn-shanghai", table.unpack(case[1]))
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
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("%? a: .*broken\n    %(a%)gain, %(s%)kip or sto%(p%): ", ran.err)
    ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--no-ask")
    assert.equal(1, ran.code)
  end)

  it("puts a command that does not fit on a line of its own, whole", function()
    local command = "alicloud-dr drill clear pg-orders pg-drill-1234567890ab --region cn-shanghai"
    local desk, file = room(([[
      return require("alicloud.dr").playbook("notes", function(run)
        run:note "a drill that nobody has cleared costs money, whatever became of it: %s"
        run:note "look: alicloud-dr status"
      end)]]):format(command), { tty = true, columns = 80 })
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.truthy(ran.out:find("\n    a drill that nobody has cleared costs money, whatever became "
      .. "of it:\n      " .. command .. "\n    look: alicloud-dr status\n", 1, true), ran.out)
  end)

  it("asks again if what was typed is no answer", function()
    local desk, file = room([[
      return require("alicloud.dr").playbook("ask", function(run)
        run:step("a", { on_error = "ask" }, function() error "broken" end)
      end)]], { input_tty = true, typed = { "agian", "", "s" } })
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.equal(3, select(2, ran.err:gsub("%(a%)gain", "")))
  end)

  it("skips nothing unless that is what was typed", function()
    for _, typed in ipairs { "stop", "STOP", "sto", "shrug", "no", "p", "", "again?" } do
      local desk, file = room([[
        return require("alicloud.dr").playbook("ask", function(run)
          run:step("a", { on_error = "ask" }, function() error "broken" end)
        end)]], { input_tty = true, typed = { typed } })
      local ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
      assert.equal(1, ran.code, typed)
      assert.is_nil(ran.out:find("skipped", 1, true), typed)
    end
    for _, typed in ipairs { "skip", " S ", "Skip" } do
      local desk, file = room([[
        return require("alicloud.dr").playbook("ask", function(run)
          run:step("a", { on_error = "ask" }, function() error "broken" end)
        end)]], { input_tty = true, typed = { "AGAIN", typed } })
      local ran = desk:run("run", "-y", file, "--region", "cn-shanghai")
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
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--approvers",
      directory .. "/dba")
    assert.equal(2, ran.code)
    assert.matches("%-%-approvers: .*/dba: line 1: allowed: NAME and a key of 64", ran.err)
    assert.is_nil((ran.err .. ran.out):find(seed, 1, true))
  end)

  it("takes an approvers' file as an editor of Windows writes it", function()
    local desk, file, directory = room [[
      return require("alicloud.dr").playbook("x", function(run)
        run:gate("g", { need = 1, of = { "dba" }, expires = "1s" })
      end)]]
    scratch.write(directory .. "/keys", "\xEF\xBB\xBFdba " .. ("ab"):rep(32) .. "\r\n")
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--approvers",
      directory .. "/keys")
    assert.matches("Client.GateExpired", ran.err)
    assert.matches("dba, key abab", ran.out)
  end)

  it("takes no approvers' file that gives a name two keys", function()
    local desk, file, directory = room()
    local lines = "dba " .. ("ab"):rep(32) .. "\n"
    for second, code in pairs { [("AB"):rep(32)] = 0, [("cd"):rep(32)] = 2 } do
      scratch.write(directory .. "/keys", lines .. "# again\ndba " .. second .. "\n")
      local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--approvers",
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
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--profile", "dr",
      "--network",
      "vpc", "--resolve", "ebs.cn-shanghai.aliyuncs.com=10.0.0.1", "--failed-region",
      "cn-hangzhou", "--wait-for-cloud", "4h", "--as", "night shift")
    assert.equal(1, ran.code)
    assert.is_truthy(ran.err:find(" --region cn-shanghai --profile dr --network vpc "
      .. "--resolve ebs.cn-shanghai.aliyuncs.com=10.0.0.1 --failed-region cn-hangzhou "
      .. "--wait-for-cloud 4h --as 'night shift'\n", 1, true), ran.err)
  end)

  it("goes on from the journal alone", function()
    local desk, file, directory = room [[
      return require("alicloud.dr").playbook("two", function(run)
        run:step("a", function() return 1 end)
        run:step("b", function() assert(io.open(run.params.dir .. "/ready")):close() end)
      end)]]
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "dir=" .. directory)
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
    local ran = desk:run("run", "-y", file, "--region", "cn-shanghai", "--json")
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

describe("alicloud-dr ungraceful", function()
  it("leaves a line for the run, with name and reason", function()
    local desk, file = room [[
      return require("alicloud.dr").playbook("x", function(run)
        run:step("a", { graceful_only = true, on_error = "continue" },
          function() assert(run.attempt > 1, "hangs") end)
        run:step("b", function() assert(run.mode == "ungraceful") end)
      end)]]
    local path = journal_of(desk:run("run", "-y", file, "--region", "cn-shanghai"))
    assert.equal(2, desk:run("ungraceful", path).code)
    local ran = desk:run("ungraceful", path, "--why", "it is gone")
    assert.equal(0, ran.code, ran.err)
    ran = desk:run("resume", path)
    assert.equal(0, ran.code, ran.err)
    assert.matches("ungraceful from now on, by operator, left by .*: it is gone", ran.out)
  end)
end)
