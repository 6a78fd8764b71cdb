-- Runs that live in a shared store, at the command line.

local controllers = require "spec.cli.controller"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"
local shell = require "alicloud.base.shell"
local widths = require "alicloud.cli.width"

local check, words_of = controllers.check, controllers.words_of

describe("a run in a shared store", function()
  check("is found there by every command that its output names", function()
    local desk, file, address = controllers.new()
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--yes")
    assert.equal(0, ran.code, ran.err)
    assert.equal(1, #desk:ledger())
    local name = ran.out:match "journal (%S+#orders%-%x+%-1)\n"
    assert.equal(address, name:match "^(.*)#")
    local report = ran.out:match "report: (alicloud%-dr [^\n]*) %-o report.html"
    assert.equal("alicloud-dr report " .. shell.quote(name), report)
    assert.matches("✔ Completed: orders", desk:run(words_of(report)).out)
    ran = desk:run("runs")
    assert.equal(0, ran.code, ran.err)
    assert.matches("✔ orders: move to Shanghai   completed", ran.out)
    assert.equal(report, ran.out:match "look:   ([^\n]*)\n")
    assert.equal(0, desk:run("verify", name).code)
    assert.matches("came to its end", desk:run("explain", name).out)
    local json = desk:run("runs", "--json").object
    assert.same({ address, name, "completed" },
      { json.store, json.runs[1].journal, json.runs[1].status })
    assert.same({}, desk:run("runs", "--open", "--json", address).object.runs)
  end)

  check("goes on there, at whichever machine, and is copied at each", function()
    local desk, file, address = controllers.new(controllers.STOPS)
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--yes")
    assert.equal(1, ran.code)
    local go_on = ran.err:match "go on:  (alicloud%-dr [^\n]*)\n"
    assert.is_truthy(go_on:find("resume '" .. address .. "#orders-", 1, true), go_on)
    ran = desk:run("runs", "--open")
    assert.matches("✘ orders   failed", ran.out)
    assert.matches("go on:  alicloud%-dr resume '" .. address:gsub("%p", "%%%0"), ran.out)
    local other, copy = controllers.new(controllers.STOPS, nil, address)
    other.bench = desk.bench
    assert(os.remove(file))
    ran = other:run(words_of(go_on))
    assert.equal(2, ran.code)
    assert.matches("which is not there: alicloud%-dr resume '.*' .* %-%-file PATH", ran.err)
    ran = other:run(words_of(go_on .. " --yes --file " .. copy))
    assert.equal(1, ran.code, ran.err)
    go_on = ran.err:match "go on:  (alicloud%-dr [^\n]*)\n"
    assert.is_truthy(go_on:find(" --file " .. copy, 1, true), go_on)
    ran = other:run(words_of(go_on .. " mended=yes --why 'it is tight' --yes"))
    assert.equal(0, ran.code, ran.err)
    assert.equal(1, #desk:ledger())
    local name = words_of("x " .. go_on:match "resume ('[^']*')")
    for _, each in ipairs { desk, other } do
      local mirrors = each.env.XDG_STATE_HOME .. "/alicloud-dr/mirrors"
      local kept = assert(core.list_directory(mirrors))
      assert.equal(1, #kept)
      assert.matches("^orders%-%x+%-1%-%x+%.mirror$", kept[1])
      assert.matches('"type":"stopped"', scratch.read(mirrors .. "/" .. kept[1]))
    end
    assert.equal(0, other:run("verify", name).code)
  end)

  check("goes on from the store alone, never from the copy of a machine", function()
    local desk, file = controllers.new(controllers.STOPS)
    assert.equal(1, desk:run("run", file, "--region", "cn-shanghai", "--yes").code)
    local mirrors = desk.env.XDG_STATE_HOME .. "/alicloud-dr/mirrors"
    local copy = mirrors .. "/" .. assert(core.list_directory(mirrors))[1]
    for _, words in ipairs { { "resume", copy }, { "unfence", copy, "--yes" },
      { "run", file, "--region", "cn-shanghai", "--journal", copy } } do
      local ran = desk:run(table.unpack(words))
      assert.equal(1, ran.code)
      assert.matches("this machine's copy of a run in a shared store, from which nothing goes on",
        (ran.err:gsub("%s+", " ")))
    end
    local ran = desk:run("explain", copy)
    assert.matches("but +it is this machine's copy", ran.out)
    assert.is_nil(ran.out:find("dr resume", 1, true), ran.out)
    assert.equal(0, desk:run("verify", copy).code)
    local text = scratch.read(copy)
    local journal = scratch.path ".jsonl"
    scratch.write(journal, text)
    assert(os.execute("chmod 600 " .. journal))
    ran = desk:run("resume", journal, "mended=1", "--why", "x", "--yes")
    assert.equal(0, ran.code, ran.err)
  end)

  check("that is unfinished is gone on with, and a finished one is followed by another", function()
    local desk, file = controllers.new(controllers.STOPS)
    assert.equal(1, desk:run("run", file, "--region", "cn-shanghai", "--yes").code)
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--yes", "--new")
    assert.matches("#orders%-%x+%-2\n", ran.out)
    ran = desk:run("run", file, "--region", "cn-shanghai", "--yes")
    assert.matches("#orders%-%x+%-1\n", ran.out)
    assert.matches("going on, process 2 of this run", ran.out)
    for n = 1, 2 do
      ran = desk:run("run", file, "--region", "cn-shanghai", "--yes", "mended=1")
      assert.equal(0, ran.code, ran.err)
      assert.matches("#orders%-%x+%-" .. n .. "\n", ran.out)
    end
  end)

  check("is named by --store or --journal where the environment names none", function()
    local desk, file, address = controllers.new()
    desk.env.ALICLOUD_DR_STORE = nil
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--yes", "--store", address)
    assert.equal(0, ran.code, ran.err)
    assert.matches(address:gsub("%p", "%%%0") .. "#orders", ran.out)
    ran = desk:run("run", file, "--region", "cn-shanghai", "--yes", "--journal",
      address .. "#by-hand")
    assert.equal(0, ran.code, ran.err)
    assert.equal(2, #desk:run("runs", address, "--json").object.runs)
    ran = desk:run("run", file, "--region", "cn-shanghai", "--journal", address .. "#a", "--store",
      address)
    assert.equal(2, ran.code)
  end)

  check("is approved, and given orders, from another machine", function()
    local desk, file, address = controllers.new([[
      return require("alicloud.dr").playbook("gated", function(run)
        run:gate("promote", { need = 1, of = { "dba" }, expires = "15m" })
        run:step("a", function() return run.mode end)
      end)]])
    local directory = desk.env.XDG_STATE_HOME
    local public = desk:run("approve", "--new-key", directory .. "/key", "--as", "dba").out
    scratch.write(directory .. "/approvers", public)
    local approvers = directory .. "/approvers"
    local other, told = controllers.new(false, nil, address), {}
    local sleep = desk.bench.emu.runtime.sleep
    -- While the run waits at its gate, somebody elsewhere reads what it has printed.
    function desk.bench.emu.runtime.sleep(seconds)
      told.held = told.held or other:run("runs").out
      local name = told.held:match "(etcd[^']*#orders%-[^']*)'"
      if not told.mode then
        told.explained = other:run("explain", name).out
        told.again = other:run("resume", name, "--region", "cn-shanghai", "--file", file)
        told.mode = other:run("ungraceful", name, "--why", "it burns", "--as", "dba")
      elseif not told.approved then
        -- The gate asks anew, since the mode is another one.
        told.approved = other:run("approve", name, "promote", "--as", "dba", "--key",
          directory .. "/key", "--yes")
      end
      return sleep(seconds)
    end
    local ran = desk:run("run", file, "--region", "cn-shanghai", "--approvers", approvers)
    assert.equal(0, told.approved.code, told.approved.err)
    assert.equal(0, ran.code, ran.err)
    assert.equal(0, told.mode.code, told.mode.err)
    assert.matches("approved by dba", ran.out)
    assert.matches("ungraceful from now on, by dba", ran.out)
    assert.matches("%? gated   running", told.held)
    assert.matches("held by operator %(process %d+ on %S+%) since 20%d%d%-%d%d%-%d%d %d%d:",
      told.held)
    assert.equal(1, told.again.code)
    assert.matches("Client.JournalLocked", told.again.err)
    assert.matches("held by operator", told.again.err)
    assert.matches("go on:  alicloud%-dr resume '%S+' .* %-%-standby\n", told.again.err)
    assert.matches("process %d+ of operator on %S+, since 20%S+%. Its lease %x+ ends in %d+ s "
      .. "unless it is renewed%. It waits", told.explained:gsub("%s+", " "))
    assert.matches("It waits at gate \"promote\" for 1 of dba",
      (told.explained:gsub("%s+", " ")))
  end)

  check("fits 80 columns where it is listed, but for commands, which stay whole", function()
    local desk, file = controllers.new(controllers.STOPS, { tty = true, columns = 80 })
    desk:run("run", file, "--region", "cn-shanghai", "--yes")
    for _, line in ipairs(desks.lines_of(desk:run("runs").out)) do
      assert.is_true(line:find "alicloud%-dr" ~= nil or widths.of(line) <= 80, line)
    end
  end)
end)
