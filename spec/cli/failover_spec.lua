-- `alicloud-dr failover` at a desk: what it shows, asks, refuses, and leaves behind.

local desks = require "spec.cli.desk"
local lab = require "spec.dr.lab"
local scratch = require "spec.scratch"

local lines_of, run = desks.lines_of, desks.once

describe("alicloud-dr failover", function()
  it("shows direction, recovery point, pre-check, progress, RPO, RTO and request id", function()
    local ran, desk = run(nil, "failover", "pg-orders", "--max-rpo", "20m", "--yes")
    assert.equal(0, ran.code)
    assert.matches("pg%-orders  orders   cn%-hangzhou/g → cn%-shanghai/b   normal   3 pairs   "
      .. "last recovery point 7m12s ago", ran.out)
    for _, rule in ipairs { "✔ group", "✔ direction", "✔ status", "✔ first full sync",
      "✔ pairs 3/3 agree", "✔ zones", "✔ RPO 7m12s ≤ 20m", "? permission" } do
      assert.is_truthy(ran.out:find(rule, 1, true), rule)
    end
    assert.matches("failovering 1/3 pairs  00:%d%d", ran.out)
    assert.matches("✔ failovered, RTO 5%d s, RPO 7m12s", ran.out)
    assert.is_truthy(ran.out:find(desk:ledger()[1].request_id, 1, true))
    assert.equal(1, #desk:ledger())
  end)

  it("wraps the pre-check to the width of the terminal", function()
    local ran = run({ columns = 72 }, "failover", "pg-orders", "--yes")
    for _, line in ipairs(lines_of(ran.out)) do
      if line:find("✔", 1, true) and not line:find("failovered", 1, true) then
        assert.is_true(utf8.len(line) <= 72, line)
      end
    end
  end)

  it("is refused with code, fact and cure, exit code 1, nothing sent", function()
    local ran, desk = run({ group = { pairs = { {}, { id = "pair-odd", status = "stopped" } } } },
      "failover", "pg-orders", "--yes")
    assert.equal(1, ran.code)
    assert.matches("✘ OperationDenied%.PairGroupStatusConflict\n +group normal, but pair%-odd is "
      .. "stopped\n +what to do: ", ran.out)
    assert.equal(1, #lines_of(ran.err))
    assert.same({}, desk:sends())
  end)

  it("asks for the group id, and takes nothing else for a yes", function()
    local given = { input_tty = true, typed = { "pg-orders" } }
    local ran, desk = run(given, "failover", "pg-orders")
    assert.equal(0, ran.code)
    assert.matches("Fail over 1 group, 3 disks%? Data since 2%d+%-.- [+-]%d%d:%d%d will be lost",
      ran.err)
    assert.is_nil(ran.out:find("Type the group id", 1, true))
    assert.equal(1, #desk:ledger())
    for _, typed in ipairs { "yes", "", "pg-order", "PG-ORDERS" } do
      ran, desk = run({ input_tty = true, typed = { typed } }, "failover", "pg-orders")
      assert.equal(1, ran.code, typed)
      assert.matches("was not confirmed, nothing was sent", ran.err)
      assert.same({}, desk:sends())
    end
    ran, desk = run({ input_tty = true, typed = {} }, "failover", "pg-orders")
    assert.equal(1, ran.code)
    assert.matches("to go on: \nalicloud%-dr: ", ran.err)
    assert.same({}, desk:sends())
  end)

  it("refuses without a terminal and without --yes, before anything is read", function()
    local ran, desk = run(nil, "failover", "pg-orders")
    assert.equal(2, ran.code)
    assert.matches("%-%-yes: is missing and there is no terminal", ran.err)
    assert.same({}, desk:requests())
  end)

  it("ends with exit code 3 and the command that goes on, when the outcome is unknown", function()
    local ran, desk = run({ faults = { lab.fault({ stuck = true }) } },
      "failover", "pg-orders", "--yes", "--timeout", "2m", "--client-token", "it's mine")
    assert.equal(3, ran.code)
    assert.matches("%? outcome unknown Client%.FailoverTimeout", ran.out)
    assert.matches("last seen: failovering, 0/3 pairs failovered", ran.out)
    assert.is_truthy(ran.out:find("go on:  alicloud-dr failover pg-orders --region cn-shanghai "
      .. "--client-token 'it'\\''s mine'", 1, true))
    assert.equal(1, #desk:ledger())
  end)

  it("proposes no way on where somebody else has changed the direction", function()
    local second = require "alicloud.emulator.scenarios.second_operator"
    local ran, desk = run({ events = second.events }, "failover", "pg-orders", "--yes")
    assert.equal(3, ran.code)
    assert.matches("%? outcome unknown Client%.Superseded", ran.out)
    assert.matches("look:   alicloud%-dr status pg%-orders", ran.out)
    assert.is_nil(ran.out:find("go on:", 1, true))
    assert.equal(1, #desk:sends())
  end)

  it("asks nobody to repeat a token where nothing was sent", function()
    local ran, desk = run({ faults = { { match = { before = 3600 },
      effect = { error = { code = "ServiceUnavailable" } } } } }, "failover", "pg-orders", "--yes")
    assert.equal(1, ran.code)
    assert.matches("refused, nothing was sent ServiceUnavailable", ran.out)
    assert.matches("what to do: nothing was asked for yet, so ask again", ran.out)
    assert.is_nil(ran.out:find("ClientToken", 1, true))
    assert.same({}, desk:sends())
  end)

  it("goes on as the same account", function()
    local path = scratch.file [[{"current":"other","profiles":[{"name":"dr","mode":"AK",
      "access_key_id":"emulator","access_key_secret":"emulator-secret"}]}]]
    local ran = run({ faults = { lab.fault({ stuck = true }) },
      env = { ALIBABA_CLOUD_CONFIG_FILE = path } },
      "failover", "pg-orders", "--yes", "--timeout", "2m", "--profile", "dr")
    assert.equal(3, ran.code, ran.err)
    assert.matches("go on:  alicloud%-dr failover pg%-orders %-%-region cn%-shanghai "
      .. "%-%-client%-token %x+ %-%-profile dr ", ran.out)
    assert.matches("look:   alicloud%-dr status pg%-orders %-%-region cn%-shanghai "
      .. "%-%-profile dr\n", ran.out)
  end)

  it("calls the outcome of a defect unknown in its exit code too", function()
    local desk = desks.new()
    local runner = require "alicloud.cli.commands.failover"
    local before = runner.run
    finally(function() runner.run = before end)
    runner.run = function() error "a defect" end
    local ran = desk:run("failover", "pg-orders", "--region", "cn-shanghai", "--yes", "--json")
    assert.equal(3, ran.code)
    assert.equal("unknown", ran.object.error.outcome)
    assert.equal(3, ran.object.exit)
  end)

  it("asks on the terminal, and says only once there why it failed", function()
    local ran = run({ tty = true, input_tty = true, typed = { "no" } }, "failover", "pg-orders")
    assert.equal("", ran.err)
    assert.matches("Type the group id to go on: ", ran.out)
    local _, times = ran.out:gsub("was not confirmed", "")
    assert.equal(1, times)
    ran = run({ tty = true, group = { pairs = 0 } }, "failover", "pg-orders", "--yes")
    assert.equal("", ran.err)
    assert.matches("refused by the pre%-check, nothing was sent\n$", ran.out)
  end)

  it("gives the token and the command that goes on away before the call leaves", function()
    for _, words in ipairs { {}, { "--json" } } do
      local desk, told = desks.new(), {}
      local send = desk.bench.emu.transport.send
      desk.given.transport = { send = function(request)
        if request.action == "FailoverDiskReplicaGroup" then told[#told + 1] = desk.told() end
        return send(request)
      end }
      local ran = desk:run("failover", "pg-orders", "--yes", "--region", "cn-shanghai",
        "--endpoint", "http://127.0.0.1:9", "--max-rpo", "20m", "--timeout", "30m", "--poll", "2s",
        table.unpack(words))
      assert.equal(0, ran.code)
      local token = desk:ledger()[1].client_token
      local line = ("alicloud-dr: client token %s (continue with: alicloud-dr failover pg-orders "
        .. "--region cn-shanghai --client-token %s --endpoint http://127.0.0.1:9 --max-rpo 20m "
        .. "--timeout 30m --poll 2s)\n"):format(token, token)
      assert.same({ line }, told)
      assert.equal(line, ran.err)
    end
  end)

  it("shows a lost answer, and that it was looked after", function()
    local ran, desk = run({ faults = { lab.fault(lab.answer("RequestTimeout", 504), "after") } },
      "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code)
    assert.matches("RequestTimeout %(HTTP 504%): it may have been done; looking", ran.out)
    assert.equal(1, #desk:sends())
    assert.equal(1, #desk:ledger())
    ran, desk = run({ faults = { lab.fault({ drop = true }, "before") } },
      "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code)
    assert.matches("sending again with the same token", ran.out)
    assert.equal(1, #desk:ledger())
  end)

  it("ends with exit code 1 and the pairs by name when the service gives up", function()
    local ran = run({ faults = { lab.fault({ partial = 1 }) } }, "failover", "pg-orders", "--yes")
    assert.equal(1, ran.code)
    assert.matches("pair%-orders%-1", ran.out)
  end)

  it("says already failovered, and sends nothing", function()
    local ran, desk = run({ group = { status = "failovered" } }, "failover", "pg-orders", "--yes")
    assert.equal(0, ran.code)
    assert.matches("already failovered", ran.out)
    assert.same({}, desk:sends())
  end)

  it("gives one JSON object on success and on failure", function()
    local ran, desk = run(nil, "failover", "pg-orders", "--yes", "--json", "--incident", "INC-1")
    assert.equal(1, #lines_of(ran.out))
    assert.equal("failovered", ran.object.outcome)
    assert.equal(432, ran.object.rpo)
    assert.equal(desk:ledger()[1].client_token, ran.object.client_token)
    assert.equal(64, #ran.object.client_token)
    ran = run({ group = { pairs = 0 } }, "failover", "pg-orders", "--yes", "--json")
    assert.equal(1, ran.code)
    assert.equal(1, ran.object.exit)
    assert.equal("OperationDenied.NoPairInGroup", ran.object.error.code)
    assert.equal("not_sent", ran.object.error.outcome)
    assert.is_table(ran.object.error.findings[1])
    ran = run({ faults = { lab.fault({ stuck = true }) } }, "failover", "pg-orders", "--yes",
      "--json", "--timeout", "60")
    assert.equal(3, ran.code)
    assert.equal("unknown", ran.object.error.outcome)
    assert.equal("failovering", ran.object.error.last_seen.status)
  end)

  it("keeps the question off the JSON object's stream", function()
    local given = { input_tty = true, typed = { "pg-orders" } }
    local ran = run(given, "failover", "pg-orders", "--json")
    assert.equal(0, ran.code)
    assert.equal("failovered", ran.object.outcome)
    assert.matches("Type the group id", ran.err)
  end)

  it("prints what is known when it is interrupted, with exit code 130", function()
    local desk = desks.new()
    local sleep, calls = desk.bench.emu.runtime.sleep, 0
    desk.bench.emu.runtime.sleep = function(seconds)
      calls = calls + 1
      if calls == 3 then error("main.lua:1: interrupted!", 0) end
      return sleep(seconds)
    end
    local ran = desk:run("failover", "pg-orders", "--yes", "--region",
      "cn-shanghai")
    assert.equal(130, ran.code)
    assert.matches("interrupted; last seen: failovering", ran.out)
    local token = desk:ledger()[1].client_token
    assert.is_truthy(ran.out:find("--client-token " .. token, 1, true))
  end)

  it("says that nothing was sent when it is interrupted before", function()
    for _, words in ipairs { {}, { "--json" } } do
      local desk = desks.new { transport = { send = function() error("x:1: interrupted!", 0) end } }
      local ran = desk:run("failover", "pg-orders", "--yes", "--region", "cn-shanghai",
        table.unpack(words))
      assert.equal(130, ran.code)
      if ran.object then
        assert.equal("not_sent", ran.object.error.outcome)
      else
        assert.matches("nothing was sent", ran.out)
      end
    end
  end)
end)
