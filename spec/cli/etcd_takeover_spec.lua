-- A run in a shared store that is waited for, taken over, ended by hand, and brought back.

local after = require "spec.dr.after_lab"
local controllers = require "spec.cli.controller"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local helper = require "spec.helper"
local lab = require "spec.dr.lab"
local scratch = require "spec.scratch"
local stores = require "alicloud.dr.store"
local widths = require "alicloud.cli.width"

local check = controllers.check

describe("a run that another machine goes on with", function()
  local GATED = [[
    return require("alicloud.dr").playbook("gated", function(run)
      run:gate("go", { need = 1, of = { "dba" }, expires = "1m" })
    end)]]

  -- Two controllers: while the first one waits at a gate, `act` is done once by the second one.
  local function while_waiting(given, act)
    local desk, file, address = controllers.new(GATED, given)
    local approvers = desk.env.XDG_STATE_HOME .. "/approvers"
    scratch.write(approvers, "dba " .. ("a1"):rep(32) .. "\n")
    local other, done = controllers.new(false, given, address), false
    local sleep = desk.bench.emu.runtime.sleep
    function desk.bench.emu.runtime.sleep(seconds)
      if not done then
        done = true
        act(other, file, approvers)
      end
      return sleep(seconds)
    end
    return desk:run("run", file, "--region", "cn-shanghai", "--approvers", approvers)
  end

  check("stops if somebody has ended its lease by hand", function()
    local later, runs
    local ran = while_waiting(nil, function(other)
      local name = other:run("runs").out:match "'(etcd[^']*)'"
      local before = other:run("explain", name).out:gsub("%s+", " ")
      controllers.cluster():ctl("lease", "revoke", (before:match "lease (%x+)"))
      later, runs = other:run("explain", name).out:gsub("%s+", " "), other:run("runs").out
      controllers.cluster():ctl("put", name:match "/dr.*#":gsub("#$", "/v1/runs/")
        .. name:match "#(.*)" .. "/lock",
        '{"owner":"bea\\u001b[2J","host":"far","pid":7,"since":"2026-11-22T03:00:10Z"}')
    end)
    assert.equal(1, ran.code, ran.err)
    assert.matches("now: +held by bea%S*%[2J %(process 7 on far%) since 2026%-11%-22 03:00:10 ",
      ran.err)
    assert.is_nil(ran.err:find("\27", 1, true))
    assert.matches("Client.JournalLost", ran.err)
    assert.matches("go on:  alicloud%-dr resume '%S+' .* %-%-standby\n", ran.err)
    assert.matches("nobody holds it: the session of process %d+ on %S+ is over", later)
    assert.matches("! gated   interrupted", runs)
    assert.matches("go on:  alicloud%-dr resume 'etcd", runs)
  end)

  check("needs the file of keys on the machine that goes on, and says so", function()
    local ran
    while_waiting(nil, function(other, file, approvers)
      os.remove(approvers)
      ran = other:run("run", file, "--region", "cn-shanghai", "--approvers", approvers)
    end)
    assert.equal(2, ran.code)
    assert.matches("every machine that goes on with a run needs a copy of this file", ran.err)
  end)

  check("is waited for by a standby, who says once who has it", function()
    local stood
    local first = while_waiting({ tty = true, columns = 80 }, function(other, file, approvers)
      other.env.USER = "bea"
      local sleep, slept = other.bench.emu.runtime.sleep, 0
      function other.bench.emu.runtime.sleep(seconds)
        slept = slept + 1
        if slept == 40 then
          local looker = controllers.new(false, nil, other.env.ALICLOUD_DR_STORE)
          local name = looker:run("runs").out:match "'(etcd[^']*)'"
          local told = looker:run("explain", name).out:gsub("%s+", " ")
          controllers.cluster():ctl("lease", "revoke", (told:match "lease (%x+)"))
        end
        return sleep(seconds)
      end
      stood = other:run("run", file, "--region", "cn-shanghai", "--approvers", approvers,
        "--standby")
    end)
    assert.equal(1, first.code)
    -- One command that goes on, with all that it needs, and no other beside it.
    local _, ways = first.err:gsub("alicloud%-dr resume ", "")
    assert.equal(1, ways, first.err)
    for line in first.err:gmatch "[^\n]+" do
      assert.is_true(line:find "alicloud%-dr %l" ~= nil or widths.of(line) <= 80, line)
    end
    local _, count = stood.out:gsub("standing by\n", "")
    assert.equal(2, count, stood.out .. stood.err)
    assert.matches("\n  held by operator on %S+ since 20%S+ %S+ %S+; standing by\n", stood.out)
    assert.matches("\n  free after %d+ s of standing by\n  going on, process 2 of this run, taken "
      .. "over from operator\n", stood.out)
    assert.matches("Client.GateExpired", stood.err)
    for _, line in ipairs(desks.lines_of(stood.out)) do
      assert.is_true(line:find("/", 1, true) ~= nil or widths.of(line) <= 80, line)
    end
  end)
end)

describe("unfence of a run in a shared store", function()
  -- A failover that has fenced and was refused.
  local function fenced()
    local desk = controllers.new(false, { world = after.world(), faults = { {
      match = { action = "FailoverDiskReplicaGroup", nth = 1 },
      effect = lab.answer("Forbidden", 403) } } })
    local ran = desk:run("run", "failover", "group=pg-orders", "region=cn-shanghai",
      "attach=i-new", "max_rpo=2h", "--no-ask", "--as", "olga")
    assert.equal(1, ran.code, ran.err)
    return desk, assert(ran.err:match "to bring it back: alicloud%-dr unfence '([^']*)'", ran.err)
  end

  local function status(desk) return desk.bench.emu.world.instance_by_id["i-old"].status end

  check("brings production back, each change written down before it leaves", function()
    local desk, name = fenced()
    assert.equal("Stopped", status(desk))
    local ran = desk:run("unfence", name, "--yes", "--as", "olga")
    assert.equal(0, ran.code, ran.err)
    assert.not_matches("may still arrive", ran.out)
    assert.equal("Running", status(desk))
    local text = assert(stores.read(name, { runtime = helper.runtime() }))
    local _, changes = text:gsub("olga brings pg%-orders back: %a+", "")
    assert.equal(3, changes)
    assert.not_matches("production [%a ]+ down", desk:run("explain", name).out)
    assert.equal(0, desk:run("verify", name).code)
  end)

  check("waits until nothing of a process can arrive that has written no answer", function()
    local desk, name = fenced()
    local text = assert(stores.read(name, { runtime = helper.runtime() }))
    local store, cut = name:match "/(dr%-%d+)#", name:gsub("#.*", "#cut")
    local n = 0
    for line in text:gmatch "[^\n]*\n" do
      n = n + 1
      controllers.cluster():ask(1, "/v3/kv/put", { value = core.base64(line),
        key = core.base64(("/%s/v1/runs/cut/rec/%010d"):format(store, n)) })
      if line:find('"type":"call"', 1, true) and line:find("FailoverDisk", 1, true) then break end
    end
    local before = desk.bench.emu.runtime.time()
    local ran = desk:run("unfence", cut, "--yes", "--as", "olga")
    assert.equal(0, ran.code, ran.err)
    assert.matches("FailoverDiskReplicaGroup, may still arrive: nothing is sent for 34 s",
      (ran.out:gsub("%s+", " ")))
    assert.is_true(desk.bench.emu.runtime.time() - before >= 34)
    assert.equal("Running", status(desk))
  end)
end)
