-- What a program does with a client, the same under every event loop: many calls at a time,
-- errors of the service and of user code, waiting, giving up, scopes with their timeouts, cleaning
-- up, programs, a run with a gate, interrupts, and closing with calls in flight.
-- The answer is a list of lines; no line depends on who came first.

local errors = require "alicloud.base.error"
local runs = require "spec.hosts.scenario_runs"

local M = {}

-- Rules for the emulator, whose clock is 600 times as fast: one operation is slow, so much that a
-- machine that stands still for a moment does not matter; others answer when nobody waits any more.
M.FAULTS = [[
return {
  { match = { action = "DescribeRegions" }, when = "before", effect = { delay = 240 } },
  { match = { action = "DescribeDiskReplicaPairs" }, when = "before", effect = { delay = 36000 } },
  { match = { action = "FailoverDiskReplicaGroup" }, when = "before", effect = { delay = 36000 } },
}
]]

local ENDLESS = "DescribeDiskReplicaPairs"
local CHANGE, GROUP = "FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" }

local function closing(action)
  return setmetatable({}, { __close = action })
end

local function many_at_a_time(note, client)
  local operations, good = {}, 0
  for i = 1, 40 do
    operations[i] = client:start("DescribeDiskReplicaGroups",
      { GroupIds = "pg-orders", Site = "backup" })
  end
  for _, operation in ipairs(operations) do
    local result = operation:result()
    if result and result.ReplicaGroups[1].ReplicaGroupId == "pg-orders" then good = good + 1 end
  end
  note("groups read", good)
end

local function slow_ones_together(note, client)
  local loop, before = client.loop, client.loop.now()
  local operations = {}
  for i = 1, 10 do operations[i] = client:start "DescribeRegions" end
  note("done at once", operations[1]:done())
  note("done in no time", operations[1]:wait(0))
  for _, operation in ipairs(operations) do operation:wait() end
  note("slow ones took turns", loop.now() - before > 3.6)
  note("done", operations[10]:done(), operations[10]:result().RequestId ~= nil)
end

local function errors_of_the_service(note, client)
  local _, err = client:call("StartDiskReplicaPair", { ReplicaPairId = "pair-nowhere" })
  note("refused", err.kind, err.outcome, err.status)
end

local function errors_of_user_code(note, client)
  local loop = client.loop
  local task = loop.spawn(function()
    client:call("DescribeDiskReplicaGroups", {})
    error "user code is wrong"
  end)
  local ok, raised = pcall(task.result, task)
  note("raised", ok, raised:match "user code is wrong")
  ok = pcall(client.start, client, "DescribeDiskReplicaGroups", { Nope = 1 })
  note("misuse", ok)
end

local function order_of_sleepers(note, client)
  local loop, woke = client.loop, {}
  local tasks = {}
  -- Far enough from each other for whatever comes between their beginnings.
  for i, seconds in ipairs { 0.3, 0.01, 0.15 } do
    tasks[i] = loop.spawn(function()
      loop.sleep(seconds)
      woke[#woke + 1] = i
    end)
  end
  for _, task in ipairs(tasks) do task:wait() end
  note("woke", table.concat(woke, " "))
end

local function a_task_of_calls(note, client)
  local ebs = client:service "ebs"
  local task = client.loop.spawn(function()
    local seen = 0
    for group in ebs:each("DescribeDiskReplicaGroups", { Site = "backup", MaxResults = 1 }) do
      if group.ReplicaGroupId then seen = seen + 1 end
    end
    return seen
  end)
  note("paged", task:result() > 1)
end

local function asking_instead_of_waiting(note, client)
  local task = client.loop.spawn(function()
    local operation = client:start("DescribeDiskReplicaGroups", {})
    while not operation:done() do coroutine.yield() end
    return operation:result() ~= nil
  end)
  note("asked", task:result())
end

-- Seconds after which a call has left for certain.
local LEFT = 0.3

local function giving_up(note, client)
  local loop = client.loop
  local operation = client:start("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
  loop.sleep(LEFT)
  note("cancelled", operation:cancel())
  local _, err = operation:result()
  note("of a change", err.kind, err.outcome, err.attempts, "and later", operation:cancel())
  local closed
  local task = loop.spawn(function()
    local _ <close> = setmetatable({}, { __close = function() closed = true end })
    client:call("DescribeDiskReplicaPairs", {})
  end)
  loop.sleep(0.02)
  task:cancel()
  _, err = task:result()
  note("of a task", closed, err.kind)
end

local function closing_with_calls_in_flight(note, client)
  local other = client:with { connect_timeout = 4 }
  local operation = other:start("DescribeDiskReplicaPairs", {})
  local waiting = client.loop.spawn(function() return select(2, operation:result()).kind end)
  client.loop.sleep(0.05)
  other:close()
  note("closed", waiting:result(), pcall(other.call, other, "DescribeRegions"))
end

local function calls_of_a_scope(note, client)
  local loop, good = client.loop, 0
  local word = loop.scope(function()
    for _ = 1, 8 do
      loop.spawn(function()
        if client:call("DescribeDiskReplicaGroups", {}) then good = good + 1 end
      end)
    end
    return "a scope has waited for"
  end)
  note(word, good)
end

local function timeouts(note, client)
  local loop = client.loop
  local result, err = loop.scope(function() return client:call(ENDLESS, {}) end, { timeout = 0.05 })
  note("timed out", result, err.kind, err.code)
  local reached
  local _
  _, err = loop.scope(function()
    loop.scope(function() client:call(ENDLESS, {}) end, { timeout = 60 })
    reached = true
  end, { timeout = 0.05 })
  note("the outer one was nearer", err.kind, reached)
  local inner = loop.scope(function()
    local _, inner = loop.scope(function()
      loop.spawn(client.call, client, ENDLESS, {})
      loop.sleep(60)
    end, { timeout = 0.05 })
    return inner.kind
  end, { timeout = 60 })
  note("the inner one was nearer", inner)
end

local function being_told(note, client)
  local loop, told = client.loop, {}
  local _, err = loop.scope(function(scope)
    loop.spawn(function()
      loop.sleep(LEFT)
      scope:cancel(errors.new { kind = "cancelled", code = "Client.Cancelled", message = "enough" })
    end)
    loop.spawn(function() loop.sleep(60) end)
    local ok, raised = pcall(client.call, client, CHANGE, GROUP)
    told = { ok, raised.kind, raised.outcome, raised.attempts, (pcall(loop.sleep, 0.01)),
      (pcall(client.call, client, "DescribeDiskReplicaGroups", {})), (pcall(loop.checkpoint)) }
    error(raised, 0)
  end)
  note("a call is told", table.unpack(told, 1, 7))
  note("and its scope", err.message)
  local result
  result, err = loop.scope(function(scope)
    local task = loop.spawn(function() loop.sleep(60) end)
    scope:cancel()
    loop.scope(function() task:wait() end, { shield = true, timeout = 20 })
    return "came to its end all the same"
  end)
  note("who is told", result, err)
end

local function cleaning_up(note, client)
  local loop, cleaned, bare = client.loop, nil, nil
  local task = loop.spawn(function()
    local _ <close> = closing(function()
      bare = pcall(client.call, client, "DescribeDiskReplicaGroups", {})
      cleaned = loop.scope(function()
        loop.sleep(0.01)
        local all = { client:start("DescribeDiskReplicaGroups", {}),
          client:start("DescribeDiskReplicaGroups", {}) }
        return all[1]:result() and all[2]:result() and true
      end, { shield = true, timeout = 20 })
    end)
    client:call(ENDLESS, {})
  end)
  loop.sleep(0.05)
  note("cancelled", task:cancel(), select(2, task:result()).kind)
  note("cleaned up in a shielded scope", cleaned, "else", bare)
  local result, err = loop.scope(function()
    local _ <close> = closing(function()
      cleaned = select(2, loop.scope(function() client:call(ENDLESS, {}) end,
        { shield = true, timeout = 0.05 })).code
    end)
    loop.sleep(60)
  end, { timeout = 0.05 })
  note("which ends, too", cleaned, result, err.code)
end

local function errors_that_nobody_takes(note, client)
  local loop, other = client.loop, nil
  local ok, raised = pcall(loop.scope, function()
    loop.spawn(function() error("of a task", 0) end)
    other = loop.spawn(client.call, client, "DescribeDiskReplicaGroups", {})
    return "what fn has returned"
  end)
  note("a scope raises the error", ok, raised, "and has ended", other:done())
  note("unless it was taken", loop.scope(function()
    local failing = loop.spawn(function() error("taken", 0) end)
    return pcall(failing.result, failing)
  end))
  local task = loop.spawn(function() error("of nobody", 0) end)
  loop.sleep(0.01)
  note("without a scope it waits", pcall(task.result, task))
end

local function waiting_where_nobody_can(note, client)
  local loop, ok, raised = client.loop, nil, nil
  local task = loop.spawn(function()
    string.gsub("x", ".", function()
      ok, raised = pcall(client.call, client, "DescribeDiskReplicaGroups", {})
    end)
    local before = loop.now()
    loop.sleep(0.05)
    return loop.now() - before >= 0.05
  end)
  note("a sleep after it is whole", task:result())
  note("in gsub", ok, raised.code, raised.outcome)
end

--- Does everything and writes down how it went.
---@param client alicloud.Client
---@param account { access_key_id: string, access_key_secret: string } which a program gives
---@return string[]
function M.run(client, account)
  local log = {}
  local function note(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    log[#log + 1] = table.concat(words, " ")
  end
  local parts = { many_at_a_time, slow_ones_together, errors_of_the_service, errors_of_user_code,
    order_of_sleepers, a_task_of_calls, asking_instead_of_waiting, giving_up, calls_of_a_scope,
    timeouts, being_told, cleaning_up, errors_that_nobody_takes, waiting_where_nobody_can }
  for _, part in ipairs(runs) do parts[#parts + 1] = part end
  parts[#parts + 1] = closing_with_calls_in_flight
  for _, part in ipairs(parts) do part(note, client, account) end
  return log
end

M.EXPECTED = {
  "groups read 40",
  "done at once false",
  "done in no time false",
  "slow ones took turns false",
  "done true true",
  "refused api rejected 404",
  "raised false user code is wrong",
  "misuse false",
  "woke 2 3 1",
  "paged true",
  "asked true",
  "cancelled true",
  "of a change cancelled unknown 1 and later false",
  "of a task true cancelled",
  "a scope has waited for 8",
  "timed out nil timeout Client.ScopeTimeout",
  "the outer one was nearer timeout nil",
  "the inner one was nearer timeout",
  "a call is told false cancelled unknown 1 false false false",
  "and its scope enough",
  "who is told came to its end all the same nil",
  "cancelled true cancelled",
  "cleaned up in a shielded scope true else false",
  "which ends, too Client.ScopeTimeout nil Client.ScopeTimeout",
  "a scope raises the error false of a task and has ended true",
  "unless it was taken false taken",
  "without a scope it waits false of nobody",
  "a sleep after it is whole true",
  "in gsub false Client.CannotWait not_sent",
  "programs ended 1 2 3 4 5 6 7 8",
  "a program was given up timeout true",
  "called with keys of a program true true cancelled",
  "a run ended completed_with_exceptions",
  "with exceptions 2",
  "interrupted false interrupted! with all that was begun true 1",
  "interrupted false interrupted! with all that was begun true 2",
  "a run is interrupted true nil interrupted nil undone false",
  "closed cancelled false the client is closed",
}

return M
