-- What a program does with a client, the same under every event loop: many calls at a time,
-- errors of the service and of user code, waiting, giving up, and closing with calls in flight.
-- The answer is a list of lines; no line depends on who came first.

local M = {}

-- Rules for the emulator: one operation is slow, another one answers when nobody waits any more.
M.FAULTS = [[
return {
  { match = { action = "DescribeRegions" }, when = "before", effect = { delay = 120 } },
  { match = { action = "DescribeDiskReplicaPairs" }, when = "before", effect = { delay = 36000 } },
  { match = { action = "FailoverDiskReplicaGroup" }, when = "before", effect = { delay = 36000 } },
}
]]

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
  note("slow ones took turns", loop.now() - before > 1.8)
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
  for i, seconds in ipairs { 0.03, 0.01, 0.02 } do
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

local function giving_up(note, client)
  local loop = client.loop
  local operation = client:start("FailoverDiskReplicaGroup", { ReplicaGroupId = "pg-orders" })
  loop.sleep(0.05)
  note("cancelled", operation:cancel(), operation:cancel())
  local _, err = operation:result()
  note("of a change", err.kind, err.outcome, err.attempts)
  local closed
  local task = loop.spawn(function()
    local _ <close> = setmetatable({}, { __close = function() closed = true end })
    client:call("DescribeDiskReplicaPairs", {})
  end)
  loop.sleep(0.02)
  task:cancel()
  note("of a task", closed, select(2, task:result()).kind)
end

local function closing_with_calls_in_flight(note, client)
  local other = client:with { connect_timeout = 4 }
  local operation = other:start("DescribeDiskReplicaPairs", {})
  local waiting = client.loop.spawn(function() return select(2, operation:result()).kind end)
  client.loop.sleep(0.05)
  other:close()
  note("closed", waiting:result(), pcall(other.call, other, "DescribeRegions"))
end

--- Does everything and writes down how it went.
---@param client alicloud.Client
---@return string[]
function M.run(client)
  local log = {}
  local function note(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = tostring(words[i]) end
    log[#log + 1] = table.concat(words, " ")
  end
  for _, part in ipairs { many_at_a_time, slow_ones_together, errors_of_the_service,
    errors_of_user_code, order_of_sleepers, a_task_of_calls, asking_instead_of_waiting, giving_up,
    closing_with_calls_in_flight } do
    part(note, client)
  end
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
  "cancelled true false",
  "of a change cancelled unknown 1",
  "of a task true cancelled",
  "closed cancelled false the client is closed",
}

return M
