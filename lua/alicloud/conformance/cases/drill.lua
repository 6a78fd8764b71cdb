--- Tier drill: starts a drill of one group, tries to clear it at once, and clears it when it is
--- done. Replication is not touched; a disk is billed for each pair until the drill is cleared.

local M = { mode = "normal" }

local START, CLEAR = "ebs:StartReplicaGroupDrill", "ebs:ClearReplicaGroupDrill"
local LOOK = "ebs:DescribeReplicaGroupDrills"

M.actions = { START, CLEAR, LOOK }

M.cost = "minutes; one pay-as-you-go disk for each pair of the group, of its size, until the drill "
  .. "is cleared; replication is not touched"

local POLL, PATIENCE = 2, 900

local function drill_of(probe, lab)
  local answer, err = probe:call(LOOK, { RegionId = lab.region, GroupId = lab.drill,
    DrillId = probe.memory.drill_id })
  if not answer then return nil, err end
  return answer.Drills and answer.Drills[1] or false
end

-- The token is in the journal before the call, so that a continued run sends the same one.
local function start(probe, lab)
  if probe.memory.drill_id then return end
  local token = probe.memory.drill_token or probe.client.runtime.random_hex(16)
  probe:remember("drill_token", token)
  local answer, err = probe:call(START, { RegionId = lab.region, GroupId = lab.drill },
    { token = token })
  if not answer then
    lab.why_not = ("the drill was not started: %s"):format(err.code)
    if err.outcome == "unknown" then lab.uncertain = true end
    return
  end
  probe:remember("drill_id", answer.DrillId)
  lab.started_at = probe:now()
end

local function clear(probe, lab)
  return probe:call(CLEAR, { RegionId = lab.region, GroupId = lab.drill,
    DrillId = probe.memory.drill_id })
end

local WORDS = { ["OperationDenied.InvalidStatus"] = "invalid_status", OperationDenied = "denied" }

local function clear_busy(probe, lab)
  if not lab.started_at then return nil, lab.why_not or "the drill was started before" end
  local answer, err = clear(probe, lab)
  if answer then
    local drill = drill_of(probe, lab)
    return "taken", "a drill that is executing is cleared" .. (drill and ": " .. drill.Status or "")
  end
  if err.kind ~= "api" then return nil, "no answer: " .. err.message end
  return WORDS[err.code] or err.code, "cleared at once: " .. err.code
end

local function wait(probe, lab, ends)
  local deadline = probe:now() + PATIENCE
  repeat
    local drill = drill_of(probe, lab)
    if drill ~= nil and ends(drill) then return drill end
    probe:sleep(POLL)
  until probe:now() >= deadline
  return nil
end

local function is_clearable(drill)
  return not drill or drill.Status ~= "executing" and drill.Status ~= "clearing"
end

-- Clears the drill and waits until it is no longer listed. Returns whether it is gone.
local function tidy(probe, lab)
  if not probe.memory.drill_id or probe.memory.drill_cleared then return true end
  local drill = wait(probe, lab, is_clearable)
  if drill == nil then return false end
  if drill and lab.started_at then probe:time("drill", probe:now() - lab.started_at) end
  local began = probe:now()
  if drill then clear(probe, lab) end
  if wait(probe, lab, function(found) return found == false end) == nil then return false end
  if drill then probe:time("clear", probe:now() - began) end
  probe:remember("drill_cleared", true)
  return true
end

--- Clears the drill, whatever happened before. If that fails, adds the command that clears it to
--- `lab.left`.
---@param probe alicloud.conformance.Probe
---@param lab alicloud.conformance.Scene
function M.finish(probe, lab)
  local ok, cleared = true, false
  if not lab.interrupted then ok, cleared = pcall(tidy, probe, lab) end
  local is_open = probe.memory.drill_token and not probe.memory.drill_cleared
  if ok and (cleared and not lab.uncertain or not is_open) then return end
  lab.left[#lab.left + 1] = probe.memory.drill_id
    and ("drill clear %s %s --region %s"):format(lab.drill, probe.memory.drill_id, lab.region)
    or ("drill list %s --region %s"):format(lab.drill, lab.region)
  if not ok then error(cleared, 0) end
end

M.cases = {
  { step = "start the drill", needs = { "drill" }, look = start },
  { name = "clear_busy", needs = { "drill" }, look = clear_busy },
}

return M
