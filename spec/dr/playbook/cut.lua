--- Runs that are cut off while a change is on its way, and what their journals say of it.

local stages = require "spec.dr.playbook.stage"

local M = {}

local FAILOVER = "FailoverDiskReplicaGroup"

--- A failover that a step asks for by itself.
function M.failover_call(run, id)
  return run.client:call(FAILOVER, { ReplicaGroupId = id or "pg-orders" })
end

--- A stage whose service takes so many seconds for an answer.
function M.slow_stage(seconds, given)
  local stage = stages.new(given)
  local bench = stage.bench
  local send = bench.emu.transport.send
  bench.client = bench.client:with { transport = { send = function(request)
    local answer, err = send(request)
    if request.action == FAILOVER then bench.client.loop.sleep(seconds) end
    return answer, err
  end } }
  return stage
end

--- The records of a step, and of its calls, in short.
function M.told(stage, step)
  local words = {}
  for _, event in ipairs(stage:events()) do
    if event.step == step then
      words[#words + 1] = event.type .. (event.outcome and "=" .. event.outcome or "")
        .. (event.ok == false and event.err and "=" .. event.err.code or "")
    end
  end
  return table.concat(words, " ")
end

--- The number of the first record of a kind, of a step.
function M.position(stage, kind, step)
  for i, event in ipairs(stage:events()) do
    if event.type == kind and (not step or event.step == step) then return i end
  end
end

--- Two branches: "a" fails for all of them after a second, "b" does what it is given.
function M.pair_of(stage, body, options)
  return stage:run(function(run)
    run:step("first", { undo = function() stage:did "-first" end }, function() end)
    run:each({ "a", "b" }, { max_errors = 2 }, function(id, branch)
      if id == "b" then return body(branch) end
      branch:step("fails", { critical = true }, function()
        branch.loop.sleep(1)
        error "never go on"
      end)
    end)
  end, options)
end

return M
