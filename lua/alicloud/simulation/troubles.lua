--- Applies the troubles of a case to a stage, each at its moment.

local alicloud = require "alicloud"
local controllers = require "alicloud.simulation.controllers"
local elsewhere = require "alicloud.simulation.elsewhere"
local stopping = require "alicloud.simulation.stopping"
local surroundings = require "alicloud.simulation.surroundings"

local M = {}

-- The real constructor, since a playbook may be given another `alicloud.client`.
local make_client = alicloud.client

local CALM = { stale_read = 0, group_ahead = false, short_list = 0, empty_list = false,
  unknown_status = "", permissive = false, token_forget = false, pair_ids = "array",
  pair_count_off = 0, mixed_pairs = false, odd_look = 0, recover_point_as = "seconds",
  token_errors_random = false, old_record = false, membership = "agrees" }

-- Only lists of pairs are cut short: a short list of one group is empty, which is another trouble.
local function set_hostile(stage, change)
  if change.short_list then
    stage.short = change.short_list
  else
    stage.emu:hostile(change)
  end
end

local ACT = {}

function ACT.hostile(stage, trouble)
  set_hostile(stage, trouble.change)
  stage.stale = stage.stale or trouble.name == "stale_read" or trouble.name == "odd_look"
  local emu = stage.emu
  emu:later(emu:now() + trouble.lasts, function()
    set_hostile(stage, { [trouble.name] = CALM[trouble.name] })
  end)
end

function ACT.regions(stage, trouble)
  local emu = stage.emu
  local id = stage.plan.world.groups[1][trouble.region]:match "^[^/]+"
  emu:region(id, trouble.state)
  emu:later(emu:now() + trouble.lasts, function() emu:region(id, "up") end)
end

function ACT.outages(stage, trouble)
  local emu = stage.emu
  local since = emu:now() - stage.requests[1].time
  assert(emu:fault { match = { action = trouble.action, before = since + trouble.lasts },
    effect = { error = { code = trouble.code, status = trouble.status } } })
end

function ACT.crashes(stage, trouble)
  stage:crash(trouble)
end

function ACT.clock(stage, trouble)
  if trouble.name == "jump" then
    stage.wall, stage.was_set = stage.wall + trouble.seconds, true
    stage.went_back = stage.went_back or trouble.seconds < 0
    return
  end
  stage.asleep = stage.asleep + trouble.seconds
  stage.emu:advance(trouble.seconds)
end

function ACT.controllers(stage, trouble)
  controllers.come(stage, trouble)
end

function ACT.elsewhere(stage, trouble)
  elsewhere.come(stage, trouble)
end

function ACT.stops(stage, trouble)
  stopping.come(stage, trouble)
end

for _, kind in ipairs(surroundings.KINDS) do ACT[kind] = surroundings.come end

local function set_all(group, status)
  group.transition, group.status = nil, status
  for _, pair in ipairs(group.pairs) do pair.status = status end
end

local function swap(record)
  record.source, record.destination = record.destination, record.source
end

-- What another operator does by hand, applied to the model at once.
local INTERFERE = {}

function INTERFERE.reverse(_, group, trouble)
  swap(group)
  for _, pair in ipairs(group.pairs) do
    if pair.source then swap(pair) end
    pair.source_disk, pair.destination_disk = pair.destination_disk, pair.source_disk
  end
  set_all(group, trouble.nth_group % 2 == 0 and "stopped" or "normal")
end

function INTERFERE.stop(_, group) set_all(group, "stopped") end

function INTERFERE.reprotect(_, group) set_all(group, "reprotecting") end

function INTERFERE.remove_pair(stage, group)
  if #group.pairs < 2 then return false end
  local pair = table.remove(group.pairs)
  pair.group_id = nil
  pair.source, pair.destination = pair.source or group.source, pair.destination or group.destination
  stage.removed = true
end

function INTERFERE.failover(stage, group)
  local emu = stage.emu
  local client = make_client { region = group.destination.region, transport = emu.transport,
    runtime = emu.runtime, access_key_id = emu.access_key_id,
    access_key_secret = emu.access_key_secret }
  client:call("FailoverDiskReplicaGroup", { ReplicaGroupId = group.id,
    ClientToken = "another-operator" }, { retries = 0 })
end

local function as(stage, who, act)
  local before = stage.who
  stage.nested, stage.who = stage.nested + 1, who
  local result, err = act()
  stage.nested, stage.who = stage.nested - 1, before
  return result, err
end

-- A second process on this machine opens the same journal, and must be kept out (P8).
local function rival(stage)
  local asked, text = #stage.requests, stage.disk:text "run"
  local result, err = as(stage, "rival", function() return stage:run_on(stage.disk) end)
  -- A disk that fails keeps it out as well.
  local kept_out = err
    and (err.code == "Client.JournalLocked" or err.code == "Client.JournalFailed")
  if not kept_out or #stage.requests > asked or stage.disk:text "run" ~= text then
    stage:violated("P8 a second process on the same journal was let in: "
      .. tostring(result and result.status or err))
  end
end

-- A second operator on another machine works on the same incident. Not with drills: the second run
-- clears the drill of the first, which the first cannot tell from a drill that never began.
local function colleague(stage)
  local plan = stage.plan
  if not stage.case.incident or stage.other_disk
    or (plan.kind or plan.playbook.kind) == "drill" then
    return
  end
  stage.other_disk = require "alicloud.dr.store.memory".disk()
  as(stage, "colleague", function() return stage:run_on(stage.other_disk) end)
end

function ACT.operators(stage, trouble)
  if trouble.name == "rival" then return rival(stage) end
  if trouble.name == "colleague" then return colleague(stage) end
  local groups = stage.emu.world.groups
  local group = groups[(trouble.nth_group - 1) % #groups + 1]
  if INTERFERE[trouble.name](stage, group, trouble) == false then return end
  -- If a repeat restarts the failover, a group that was failed over is not, for a moment.
  stage.undone = stage.undone or trouble.name ~= "failover"
    or stage.case.assume.repeat_failover == "restart"
  stage.interferences[#stage.interferences + 1] = { group = group.id, name = trouble.name,
    request = #stage.requests }
end

--- Applies the troubles that are there from the start, and queues those that come with requests.
---@param stage alicloud.simulation.Stage
function M.prepare(stage)
  stage.waiting = {}
  for _, trouble in ipairs(stage.case.troubles) do
    if trouble.from_start then
      ACT[trouble.kind](stage, trouble)
    elseif trouble.request or trouble.send then
      stage.waiting[#stage.waiting + 1] = trouble
    end
  end
end

local function is_due(stage, trouble, entry, after)
  if (trouble.after or false) ~= after then return false end
  if trouble.send then return entry.mutating and stage.changes >= trouble.send end
  return entry.n >= trouble.request
end

local function come(stage, trouble)
  local delay = trouble.delay or 0
  if delay == 0 then return ACT[trouble.kind](stage, trouble) end
  local emu = stage.emu
  emu:later(emu:now() + delay, function() ACT[trouble.kind](stage, trouble) end)
end

--- Applies the troubles that are due at a request.
---@param stage alicloud.simulation.Stage
---@param entry alicloud.simulation.Request
---@param after boolean false: before the request is handled; true: after it
function M.around(stage, entry, after)
  if stage.nested > 0 or #stage.waiting == 0 then return end
  for i = #stage.waiting, 1, -1 do
    local trouble = stage.waiting[i]
    if trouble and is_due(stage, trouble, entry, after) then
      table.remove(stage.waiting, i)
      come(stage, trouble)
    end
  end
end

--- Forwards a request; lists of pairs are cut short while that trouble lasts.
---@param stage alicloud.simulation.Stage
---@param request table
---@param forward fun(request: table): table
---@return table exchange
function M.with_short_pairs(stage, request, forward)
  if stage.short == 0 or request.action ~= "DescribeDiskReplicaPairs" then
    return forward(request)
  end
  stage.emu:hostile { short_list = stage.short }
  local exchange = forward(request)
  stage.emu:hostile { short_list = 0 }
  return exchange
end

local STOPS = { crash = true, crash_after = true, torn = true }

--- The fault at a call of the disk.
---@param stage alicloud.simulation.Stage
---@param call alicloud.dr.DiskCall
---@return string|nil fault nil: none
function M.at_disk(stage, call)
  if stage.trace then stage.trace:disk(stage, call) end
  for _, trouble in ipairs(stage.case.troubles) do
    if trouble.call == call.n and trouble.kind == "elsewhere" then
      elsewhere.come(stage, trouble)
    elseif trouble.call == call.n then
      if STOPS[trouble.how] then
        stage.keep, stage.pause = trouble.keep, trouble.pause
        stage.stopped_at[#stage.stopped_at + 1] = { op = call.op, how = trouble.how }
      elseif not trouble.once then
        stage.disk.failing = trouble.how
      end
      return trouble.how
    end
  end
  return stage.disk.failing
end

return M
