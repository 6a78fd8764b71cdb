--- Checks what must end together, by the journal and the loop of each process: an interrupt is no
--- failure, nothing outlives its step, its change or its process, and no drill is forgotten.

local M = {}

M.INVARIANTS = {
  T1 = "an interrupt is no failure: no step fails because of it, nothing is undone, the run can go "
    .. "on",
  T2 = "nothing is written down for a step after its end",
  T3 = "a change in flight has its outcome before the end of its step, an undo and every end",
  T4 = "a process gives its locks back and leaves nothing on its loop",
  T5 = "a drill that is left open is reported",
  T6 = "the result of a step and a note come back unchanged after a resume",
}

local FAILS = { step_end = "a step has failed", undo_begin = "undoing has begun",
  stopped = "the run has failed" }

--- Called with every record of a run, after it was written.
---@param stage alicloud.simulation.Stage
---@param event table
function M.saw(stage, event)
  local process = stage.active
  local what = FAILS[event.type]
  if process.told and what and not event.ok then
    stage:violated(("T1 %s behind an interrupt (%s)"):format(what, event.step or ""))
  end
  if event.type == "stopped" or event.type == "finished" then process.is_over = true end
end

local function check_locks(stage, process)
  for name in pairs(stage.disk.leases) do
    stage:violated(("T4 process %d has kept the lock of %s"):format(process.n, name))
  end
  local loop = process.loop
  -- The task that renews the lease was cancelled at the very end, and ends in the loop's next turn.
  if stage.disk.shared then loop.step() end
  -- A task that never begins: its scheduler knows how many tasks and scopes there are.
  local probe = loop.spawn(function() end)
  probe:cancel()
  local alive, open = probe.scheduler.alive, #probe.scheduler.open
  if alive > 0 or open > 0 then
    return stage:violated(("T4 %d tasks and %d scopes outlive process %d"):format(alive, open,
      process.n))
  end
  loop.step()
  if loop.timeout() or #loop.pollables() > 0 then
    stage:violated(("T4 process %d leaves %d waits behind"):format(process.n,
      #loop.pollables()))
  end
end

--- Checks T1 and T4 for a process that has ended by itself.
---@param stage alicloud.simulation.Stage
---@param process alicloud.simulation.Process
function M.judge(stage, process)
  local err = process.err
  if process.told and err and not process.is_over and err.kind ~= "cancelled"
    and err.kind ~= "journal" then
    stage:violated(("T1 a process that was interrupted ends with %s"):format(tostring(err.code)))
  end
  if process.loop then check_locks(stage, process) end
end

local BEGINS = { step_begin = true, undo_begin = true }
local ENDS = { step_end = true, undo_end = true, step_skip = true }
local OF_STEPS = { call = true, answer = true, intent = true, outcome = true, production = true }
local LAST = { stopped = true, finished = true, interrupted = true }

local function first_open(list, step)
  for _, open in pairs(list) do
    if not step or open.step == step then return open end
  end
end

local function check_order(events, violated)
  local active, calls, intents = {}, {}, {}
  local function demand_settled(event, list, step)
    local open = first_open(list, step)
    if open then
      violated(("T3 %s of %s without the outcome of %s"):format(event.type,
        event.step or "the run", open.what))
    end
  end
  for _, event in ipairs(events) do
    local kind, step = event.type, event.step
    if kind == "attempt" then
      active, calls, intents = {}, {}, {}
    elseif BEGINS[kind] then
      active[step] = true
      if kind == "undo_begin" then
        demand_settled(event, calls)
        demand_settled(event, intents)
      end
    elseif ENDS[kind] then
      demand_settled(event, calls, step)
      demand_settled(event, intents, step)
      active[step] = nil
    elseif OF_STEPS[kind] and step and not active[step] then
      violated(("T2 a record of kind %s behind the end of %s"):format(kind, step))
    end
    if kind == "call" then
      calls[event.call] = { step = step, what = event.action }
    elseif kind == "answer" then
      calls[event.call] = nil
    elseif kind == "intent" then
      intents[event.verb .. " " .. event.intent.group_id] = { step = step, what = event.verb }
    elseif kind == "outcome" or kind == "settled" then
      intents[event.verb .. " " .. event.group_id] = nil
    elseif LAST[kind] then
      demand_settled(event, calls)
    end
  end
end

local function made_by_run(stage)
  local own = {}
  for _, request in ipairs(stage.requests) do
    if request.who == "run" and request.entry then own[request.entry.request_id] = true end
  end
  local drills = {}
  for _, effect in ipairs(stage.emu:ledger()) do
    if effect.drill and own[effect.request_id] then drills[effect.drill] = effect.group end
  end
  return drills
end

local COSTS = { executing = true, executed = true, execute_failed = true, clear_failed = true }

-- If the run can be resumed, nobody need be told: the next process finds its drill.
local function check_drills(stage, text, violated)
  local last = stage.processes[#stage.processes]
  local err = last.err
  local kind = type(err) == "table" and err.kind
  if last.crashed or kind == "journal" or kind == "cancelled" then return end
  for id, group in pairs(made_by_run(stage)) do
    local drill = stage.emu.world.drill_by_id[id]
    local told = text:find("drill clear " .. tostring(group) .. " " .. id, 1, true)
      or text:find("drill list", 1, true)
    if drill and COSTS[drill.status] and not told then
      violated(("T5 %s is %s, and nobody was told"):format(id, drill.status))
    end
  end
end

local function check_kept(events, violated)
  for _, event in ipairs(events) do
    if event.type == "note" and event.left_out then violated("T6 " .. event.text) end
    local err = event.type == "step_end" and event.err
    if err and err.code == "Client.StepResult" then violated("T6 " .. err.message) end
  end
end

--- Checks T2, T3, T5 and T6 after a case has ended.
---@param stage alicloud.simulation.Stage
---@param found { events: table[], text: string }
---@param violated fun(what: string)
function M.check(stage, found, violated)
  check_order(found.events, violated)
  check_drills(stage, found.text, violated)
  check_kept(found.events, violated)
end

return M
