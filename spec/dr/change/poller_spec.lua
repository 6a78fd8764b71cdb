-- Waiting for the open disks: never success without having seen it, and never a failover on a world
-- that somebody else has changed.

local lab = require "spec.dr.lab"

local fault, run, assert_sound = lab.fault, lab.run, lab.assert_sound

describe("waiting", function()
  it("goes through the client's loop, every time", function()
    local bench = lab.new { faults = { fault({ drop = true }, "before") } }
    local emu, sleeps = bench.emu, 0
    local sleep = emu.runtime.sleep
    local client = bench.client:with { loop = {
      now = function() return emu:now() + 5e6 end,
      sleep = function(seconds)
        sleeps = sleeps + 1
        sleep(seconds)
      end,
      wait = error,
    }, runtime = {
      time = emu.runtime.time, random = emu.runtime.random, random_hex = emu.runtime.random_hex,
      getenv = emu.runtime.getenv, sleep = function() error "slept beside the loop" end,
      monotonic = function() error "looked at a clock beside the loop" end,
    }, transport = emu.transport }
    bench.client = client
    local result = assert(bench:failover())
    assert.equal("failovered", result.outcome)
    assert.is_true(sleeps > 10)
    assert.is_true(result.rto < 1000)
    assert_sound(bench, 1)
  end)

  it("does not take a group that runs ahead for success", function()
    local bench, result = run { hostile = { group_ahead = true } }
    assert.equal("failovered", result.outcome)
    for _, pair in ipairs(bench.emu:group(lab.ID).pairs) do
      assert.equal("failovered", pair.status)
    end
    assert_sound(bench, 1)
  end)

  it("does not take short or empty lists for success, nor for a change", function()
    for _, hostile in ipairs { { short_list = 1 }, { short_list = 3 }, { empty_list = true } } do
      local bench = lab.new()
      local result, err = bench:failover { timeout = 300, on = { accepted = function()
        bench.emu:hostile(hostile)
      end } }
      assert.is_nil(result)
      assert.equal("timeout", err.kind)
      assert.equal("unknown", err.outcome)
      assert_sound(bench, 1)
    end
  end)

  it("goes on when the lists are whole again", function()
    local bench = lab.new()
    local result = assert(bench:failover { on = { accepted = function()
      bench.emu:hostile { short_list = 1 }
      bench.emu:later(bench.emu:now() + 100, function() bench.emu:hostile { short_list = 0 } end)
    end } })
    assert.equal("failovered", result.outcome)
    assert.is_true(result.rto >= 100)
  end)

  it("does not take stale looks for a call without effect", function()
    for _, seconds in ipairs { 5, 14, 30 } do
      local bench, result = run { hostile = { stale_read = seconds },
        faults = { fault({ drop = true }, "after") } }
      assert.equal("failovered", result.outcome)
      assert_sound(bench, 1)
    end
  end)

  it("goes on through looks that fail or find no group", function()
    local bench = lab.new()
    local result = assert(bench:failover { wait_for_cloud = false, on = { accepted = function()
      bench.emu:fault { match = { action = "DescribeDiskReplicaGroups", count = 12 },
        effect = { error = { code = "NoSuchResource", status = 404 } } }
      bench.emu:fault { match = { action = "DescribeDiskReplicaPairs", count = 8 },
        effect = { drop = true } }
    end } })
    assert.equal("failovered", result.outcome)
    assert.is_table(bench:event "look_failed")
  end)

  it("ends with the pairs by name when the service gives up, wholly or in part", function()
    for _, partial in ipairs { 1, 3 } do
      local bench, result, err = run { faults = { fault({ partial = partial }) } }
      assert.is_nil(result)
      assert.equal("state", err.kind)
      assert.equal("Client.FailoverFailed", err.code)
      assert.equal("accepted", err.outcome)
      assert.matches("pair%-orders%-1", err.message)
      assert.equal(partial == 3, err.message:find("pair-orders-3", 1, true) ~= nil)
      assert_sound(bench, 1)
    end
  end)

  it("ends as unknown when nothing moves any more, with the last state", function()
    local bench, result, err = run({ faults = { fault({ stuck = true }) } }, { stall = 100 })
    assert.is_nil(result)
    assert.equal("timeout", err.kind)
    assert.equal("Client.FailoverStalled", err.code)
    assert.equal("unknown", err.outcome)
    assert.equal("failovering", err.last.status)
    assert_sound(bench, 1)
  end)

  it("ends as unknown at its deadline, to the second", function()
    local bench = lab.new { group = { failover_seconds = 4000 } }
    local begin = bench.emu:now()
    local _, err = bench:failover { timeout = "10m", stall = "1h" }
    assert.equal("Client.FailoverTimeout", err.code)
    assert.equal("unknown", err.outcome)
    assert.equal(600, bench.emu:now() - begin)
  end)

  it("never takes an unknown word for success, nor for failure", function()
    local bench, result = run { hostile = { unknown_status = "levitating" } }
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
    local other, _, err = run({ hostile = { unknown_status = "levitating" },
      faults = { fault({ stuck = true }) } }, { timeout = 200 })
    assert.equal("unknown", err.outcome)
    assert.matches("levitating", err.message)
    assert_sound(other, 1)
  end)
end)

describe("another operator", function()
  local function meddle(act, event, given)
    local bench = lab.new(given)
    local result, err = bench:failover { on = { [event] = function() act(bench) end } }
    return bench, result, err
  end

  it("who reverses the replication stops the run: nothing is sent again", function()
    for _, status in ipairs { "stopped", "normal" } do
      local bench, result, err = meddle(function(bench) bench:reverse(status) end, "unanswered",
        { faults = { fault({ drop = true }, "after") } })
      assert.is_nil(result)
      assert.equal("Client.Superseded", err.code)
      assert.equal("state", err.kind)
      assert.equal("unknown", err.outcome)
      assert.matches("direction was cn%-hangzhou/g → cn%-shanghai/b, now it is", err.message)
      assert.equal(1, #bench:sends())
    end
  end)

  it("who reverses it while we wait is not overlooked", function()
    local bench, _, err = meddle(function(bench) bench:reverse() end, "accepted")
    assert.equal("Client.Superseded", err.code)
    assert.equal("unknown", err.outcome)
    assert_sound(bench, 1)
  end)

  -- One look is of another direction, those before and after it are not.
  local function odd_once(bench)
    local group = bench.emu:group(lab.ID)
    local function swap() group.source, group.destination = group.destination, group.source end
    swap()
    bench.emu:later(bench.emu:now() + 4, swap)
  end

  it("is not seen in one odd look after the call", function()
    local bench, result = meddle(odd_once, "accepted")
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
    bench, result = meddle(odd_once, "unanswered", { faults = { fault({ drop = true }, "after") } })
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
  end)

  it("who was seen once is never sent past, though later looks deny him", function()
    local bench, result, err = meddle(odd_once, "unanswered",
      { faults = { fault({ drop = true }, "before") } })
    assert.is_nil(result)
    assert.equal("unknown", err.outcome)
    assert.equal(1, #bench:sends())
    assert_sound(bench, 0)
  end)

  it("who cancels the failover leaves a state that is not sent to again", function()
    local bench, _, err = meddle(function(bench) bench:put "stopped" end, "unanswered",
      { faults = { fault({ drop = true }, "after") } })
    assert.equal("Client.Superseded", err.code)
    assert.matches("was normal and now is stopped", err.message)
    assert.equal(1, #bench:sends())
  end)

  it("who cancels while we wait is believed after several looks", function()
    local bench = lab.new()
    local seen
    local result, err = bench:failover { on = { accepted = function()
      bench.emu:later(bench.emu:now() + 20, function()
        seen = bench.emu:now()
        bench:put "normal"
      end)
    end } }
    assert.is_nil(result)
    assert.equal("Client.Superseded", err.code)
    assert.is_true(bench.emu:now() - seen >= 15)
  end)

  it("who changes the pair set stops the run", function()
    local bench, _, err = meddle(function(bench) bench:remove_pair() end, "unanswered",
      { faults = { fault({ drop = true }, "before") } })
    assert.equal("Client.Superseded", err.code)
    assert.matches("the pair set lacks pair%-orders%-3", err.message)
    assert.equal(1, #bench:sends())
    assert_sound(bench, 0)
  end)

  it("on the same incident sends the same token, whatever the machine", function()
    local function token_of(given, incident)
      local bench = lab.new(given)
      assert(bench:failover { incident = incident })
      return bench:sends()[1].client_token
    end
    local token = token_of({ seed = 1 }, "INC-1")
    assert.equal(token, token_of({ seed = 2 }, "INC-1"))
    assert.equal(64, #token)
    assert.is_not.equal(token, token_of({ seed = 1 }, "INC-2"))
    assert.is_not.equal(token, token_of({ group = { destination = "cn-shanghai/cn-shanghai-e" } },
      "INC-1"))
  end)

  it("on the same incident may ask again after a failure, with another token, once", function()
    local bench = lab.new { faults = { fault({ partial = 3 }, nil, { count = 2 }) } }
    local _, first = bench:failover { incident = "INC-1" }
    assert.equal("Client.FailoverFailed", first.code)
    assert.is_nil(first.hint:find("incident", 1, true))
    local _, second = bench:failover { incident = "INC-1" }
    assert.equal("Client.FailoverFailed", second.code)
    assert.is_not.equal(first.client_token, second.client_token)
    assert.matches("give another incident name", second.hint)
    local third = assert(bench:failover { incident = "INC-2" })
    assert.equal("failovered", third.outcome)
    assert.equal(3, #bench:ledger())
  end)

  it("on the same incident at the same moment makes one effect even where repeats count", function()
    local bench = lab.new { assume = { repeat_failover = "restart" } }
    local second
    local result = assert(bench:failover { incident = "INC-1", on = { sending = function()
      local other = setmetatable({ events = {} }, { __index = bench })
      second = other:failover { incident = "INC-1" }
    end } })
    assert.equal("failovered", second.outcome)
    assert.equal("failovered", result.outcome)
    assert_sound(bench, 1)
  end)
end)
