-- Ten minutes in which an operation that reads answers 500, or nobody answers, begun at every read
-- of the ready playbooks in turn: each run ends as it does on a quiet day, with the same effects.

local after = require "spec.dr.after_lab"
local scene = require "spec.playbooks.scene"

local LONG = 600

local READS = { "DescribeDiskReplicaGroups", "DescribeDiskReplicaPairs", "DescribeDisks",
  "DescribeInstances", "DescribeReplicaGroupDrills" }

local BOOKS = {
  failover = { params = { region = "cn-shanghai", attach = "i-new", max_rpo = "2h" },
    make = scene.stage, every = 3, order = true },
  planned = { params = { region = "cn-shanghai", attach = "i-new" }, make = scene.stage,
    every = 9 },
  failback = { params = { region = "cn-shanghai", attach = "i-old" }, every = 19,
    make = function() return scene.failed_over(false) end },
  drill = { params = { region = "cn-shanghai", max_rpo = "2h" }, make = scene.stage, every = 1 },
}

-- A stage on which an action fails for some time from its nth request on; how many there were.
local function stage_with(make, action, nth, seconds)
  local stage, seen, from = make(), 0, nil
  local emu = stage.bench.emu
  local send = emu.transport.send
  stage.bench.client = stage.bench.client:with { transport = { send = function(request)
    if request.action == action then
      seen = seen + 1
      if seen == nth then from = emu:now() end
      if from and emu:now() < from + seconds then
        return { status = 500, headers = {},
          body = '{"Code":"InternalError","Message":"out of order","RequestId":"REQ-OUT"}' }
      end
    end
    return send(request)
  end } }
  return stage, function() return seen end
end

local function run_book(name, book, action, nth, seconds)
  local stage, count = stage_with(book.make, action, nth, seconds)
  local params = { group = after.ID }
  local result, err = scene.run(name, stage, params, book.params)
  return stage, count(), result, err
end

-- Effects without those of fencing, which a failover does before or after, as the old side answers.
local function essence(book, stage)
  local effects = scene.effects(stage)
  return book.order and effects:gsub("StopInstance ?", ""):gsub("DetachDisk ?", "")
    :gsub(" $", "") or effects
end

describe("ten minutes without one reading operation", function()
  for name, book in pairs(BOOKS) do
    it("are outlasted at every read of " .. name, function()
      local quiet, _, good = run_book(name, book, "none", 1, 0)
      assert.is_table(good)
      local expected, tried = essence(book, quiet), 0
      for _, action in ipairs(READS) do
        local _, reads = run_book(name, book, action, 0, 0)
        for nth = 1, reads, book.every do
          local stage, _, result, err = run_book(name, book, action, nth, LONG)
          assert.is_table(result, ("%s, read %d: %s"):format(action, nth, tostring(err)))
          assert.equal(expected, essence(book, stage), action .. " " .. nth)
          tried = tried + 1
        end
      end
      assert.is_true(tried > 5)
    end)
  end

  it("are told with the seconds that are left, and end the run when they are longer", function()
    local told = {}
    local stage = stage_with(scene.stage, "DescribeDiskReplicaPairs", 1, 3000)
    local _, err = scene.run("failover", stage, { group = after.ID, region = "cn-shanghai",
      max_rpo = "2h" }, nil, { progress = function(event)
      if event.type == "waiting" then told[#told + 1] = event end
    end })
    assert.equal("InternalError", err.code)
    assert.equal("waiting", told[1].state)
    assert.equal("check", told[1].step)
    assert.equal(LONG, told[1].left)
    assert.is_string(told[1].reason)
    assert.equal("given_up", told[#told].state)
    for i = 2, #told - 1 do assert.is_true(told[i].left < told[i - 1].left) end
  end)

  it("leave an undo ten minutes of its own", function()
    local stage = stage_with(scene.stage, "DescribeInstances", 0, 0)
    local emu = stage.bench.emu
    local send, from = emu.transport.send, nil
    stage.bench.client = stage.bench.client:with { transport = { send = function(request)
      if from and emu:now() < from + 900 and request.action:find "^Describe" then
        return { status = 500, headers = {},
          body = '{"Code":"InternalError","Message":"out of order","RequestId":"REQ-OUT"}' }
      end
      return send(request)
    end } }
    local undone
    local _, err = stage:run(function(run)
      local group = run:group(after.ID, { region = "cn-shanghai" })
      run:step("first", { undo = function()
        undone = group:observe()
        return undone ~= nil
      end }, function() return group:observe() end)
      run:step("second", function()
        from = emu:now()
        return group:observe()
      end)
    end)
    assert.equal("InternalError", err.code)
    assert.is_table(undone)
  end)
end)

describe("a run that is killed while its call is throttled", function()
  it("goes on under the same token once the service takes it", function()
    local gone_on = 0
    for n = 1, 60, 3 do
      local stage = scene.stage(nil, { faults = { { match = {
        action = "FailoverDiskReplicaGroup", before = 400 },
        effect = { error = { code = "Throttling.User", status = 400 } } } } })
      local params = { group = after.ID, region = "cn-shanghai", attach = "i-new", max_rpo = "2h" }
      local book, calls = scene.load "failover", 0
      stage:run_until(book, function()
        if stage.bench:requests "FailoverDiskReplicaGroup"[1] == nil then return end
        calls = calls + 1
        return calls == n and "crash" or nil
      end, { params = params })
      -- The window for answers that were lost is over by then.
      stage.bench.emu:advance(500)
      local calls_left, answers = #stage:events "call", #stage:events "answer"
      local result, err = stage:run(book, { params = params })
      -- A call whose answer nobody wrote down is in doubt.
      if calls_left == answers then
        assert.is_table(result, n .. ": " .. tostring(err))
        gone_on = gone_on + 1
      end
      local effects, tokens = 0, {}
      for _, effect in ipairs(stage.bench:ledger()) do
        if effect.action == "FailoverDiskReplicaGroup" then effects = effects + 1 end
      end
      for _, sent in ipairs(stage.bench:requests "FailoverDiskReplicaGroup") do
        tokens[#tokens + 1] = sent.client_token ~= tokens[1] and sent.client_token or nil
      end
      assert.equal(result and 1 or 0, effects)
      assert.equal(1, #tokens)
    end
    assert.is_true(gone_on > 5)
  end)
end)
