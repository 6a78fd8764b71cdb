--- One process that takes items of a fleet: it claims items and runs the playbook for each, many at
--- a time. Several processes may do so: an item belongs to one at a time, since the claim is the
--- lock of its run.

local divisions = require "alicloud.dr.fleet.division"
local endings = require "alicloud.dr.fleet.ending"
local guard = require "alicloud.base.guard"
local headways = require "alicloud.dr.playbook.headway"
local playbooks = require "alicloud.dr.playbook"
local rates = require "alicloud.dr.fleet.rate"
local rosters = require "alicloud.dr.fleet.roster"
local shared = require "alicloud.dr.store.shared"
local tables = require "alicloud.base.tables"
local views = require "alicloud.dr.fleet.view"

local M = {}

-- PAUSE: seconds (up to twice as many) between two looks while other processes have all that is
-- left. MOST_REFUSED: refused claims after which a look costs less than further claims.
local PAUSE, MOST_REFUSED = 1, 100
-- Looks in a row that find no process at work on the items that all wait for.
local PATIENCE = 5
-- Seconds within which locks are given back.
local GIVING_BACK = 10

---@class alicloud.dr.Taker
---@field fleet alicloud.dr.Fleet
---@field view alicloud.dr.FleetView
---@field order alicloud.dr.FleetItem[] items in the order in which this process tries them
---@field place integer index in `order` of the next item to try
---@field refused integer refused claims since the last look
---@field under_way integer items under way here
---@field ran integer items that have ended here
---@field fault alicloud.Error? why this process takes no more items
---@field headway alicloud.dr.Headway
---@field raised any an error that the run of an item raised
local Taker = {}
Taker.__index = Taker

-- The items whose accounts this process has keys for.
local function own_items(fleet)
  local list = {}
  for _, item in ipairs(fleet.items) do
    if fleet:client_of(item.account) then list[#list + 1] = item end
  end
  return list
end

-- Stage by stage, at random within a stage: in the same order controllers would contend for each
-- item.
local function shuffled(fleet)
  local list = own_items(fleet)
  for i = #list, 2, -1 do
    local j = 1 + math.floor(fleet.runtime.random() * i)
    list[i], list[j] = list[j], list[i]
  end
  local places = {}
  for i, item in ipairs(list) do places[item] = i end
  table.sort(list, function(one, other)
    if one.stage ~= other.stage then return one.stage < other.stage end
    return places[one] < places[other]
  end)
  return list
end

-- What the store must hold for a claim to succeed: item not ended, fleet not on hold, stage open.
local function conditions_of(fleet, item)
  local list = {
    { key = rosters.key(fleet, "done", item.account, item.group), absent = true },
    { key = rosters.key(fleet, "hold"), absent = true },
  }
  if item.stage > 1 then list[3] = { key = rosters.key(fleet, "stages", item.stage),
    present = true } end
  return list
end

local function store_of(fleet, item)
  local run = rosters.run_of(fleet, item)
  return shared.open { keys = fleet.keys, run = run, name = fleet:journal(item),
    prefix = fleet.prefix, loop = fleet.loop, runtime = fleet.runtime, session = fleet.session,
    mirror = fleet:mirror(run), keeps_lock = true, alone = true,
    conditions = conditions_of(fleet, item),
    marks = { rosters.key(fleet, "taken", item.account, item.group) } }
end

local function params_of(fleet, item)
  return tables.merged(fleet.meta.params, { group = item.group, region = item.region },
    item.params)
end

local function run_options(fleet, item, store)
  local client = fleet:client_of(item.account)
  return tables.merged(fleet.run_options, { client = client, store = store, account = item.account,
    params = params_of(fleet, item), requester = fleet.requester, progress = fleet.progress
      and function(event, run_id) fleet.progress(event, item, run_id) end or nil })
end

-- Gives a lock back even after an interruption, so that others can claim the item at once.
local function shielded(fleet, act)
  fleet.loop.scope(act, { shield = true, timeout = GIVING_BACK })
end

local function carry_out(taker, item)
  local fleet = taker.fleet
  local store = store_of(fleet, item)
  local _ <close> = setmetatable({}, { __close = function()
    if store.fence then shielded(fleet, function() store:abandon() end) end
  end })
  local begun_at = fleet.loop.now()
  local result, err = playbooks.run(fleet.playbook, run_options(fleet, item, store))
  if not store.fence then return nil, err, true end
  if err and endings.is_open(err) then return nil, err end
  local ending = endings.of(fleet, store, result, err)
  ending.seconds = fleet.loop.now() - begun_at
  local ok
  ok, err = endings.write(fleet, store, item, ending)
  return ok and ending, err
end

-- Another process has the item if its lock is taken or it is closed. Any other refusal ends the
-- work of this process: the store or the session is lost.
local function take_refusal(taker, item, err)
  if err.code ~= "Client.ItemClosed" and err.code ~= "Client.JournalLocked" then
    taker.fault = taker.fault or err
    return
  end
  taker.refused = taker.refused + 1
  taker.view:note_refusal(item, err)
end

local function take(taker, item, place)
  local view = taker.view
  local _ <close> = setmetatable({}, { __close = function()
    view.mine[divisions.name_of(item)], taker.under_way = nil, taker.under_way - 1
    taker.gate.open()
  end })
  local ok, ending, err, was_refused = guard.call(carry_out, taker, item)
  local ended = ok and ending or {}
  taker.headway:finish(place, ended.outcome, ended.seconds)
  if not ok then
    -- A defect of a program is raised when the items under way have ended.
    taker.raised = taker.raised or ending
  elseif ending then
    taker.ran = taker.ran + 1
    view:note_end(item, ending)
    -- The failure may have put the fleet on hold, so the next claim comes after a look.
    if ending.outcome ~= "done" then taker.refused = MOST_REFUSED end
    taker.fleet:tell { type = "item", item = item, ending = ending, left = view:left() }
  elseif was_refused then
    take_refusal(taker, item, err)
  else
    taker.fault = taker.fault or err
  end
end

local function next_item(taker)
  local order, view = taker.order, taker.view
  while taker.place <= #order do
    local item = order[taker.place]
    if item.stage > view.open then return nil end
    taker.place = taker.place + 1
    if view:may_claim(item) then return item end
  end
end

local function look(taker)
  local ok, err = taker.view:look()
  if ok then ok, err = taker.view:advance() end
  if not ok then taker.fault = taker.fault or err end
  taker.place, taker.refused = 1, 0
end

-- Whether only items of accounts without keys here keep the stage closed, and none is under way.
local function is_stranded(taker)
  local fleet, view = taker.fleet, taker.view
  if next(view.taken) then return false end
  for _, item in ipairs(fleet.items) do
    local waits = item.stage <= view.open and not view.ended[divisions.name_of(item)]
    if waits and fleet:client_of(item.account) then return false end
  end
  return true
end

-- Whether all items that this process can take have ended, by the last look.
local function is_through(taker)
  return taker.view.ended_here >= #taker.order
end

local function is_stopped(taker)
  local lost = taker.fleet.session:lost()
  taker.fault = taker.fault or lost
  return taker.raised ~= nil or taker.fault ~= nil or taker.view.held ~= nil
end

-- Begins items until `workers` are under way or none can be claimed for now.
local function fill(taker)
  local fleet, view = taker.fleet, taker.view
  while taker.under_way < fleet.workers and taker.refused < MOST_REFUSED
    and not is_stopped(taker) do
    local item = next_item(taker)
    if not item then return end
    view.mine[divisions.name_of(item)], taker.under_way = true, taker.under_way + 1
    fleet.loop.spawn(take, taker, item, taker.headway:begin(fleet.loop.now()))
  end
end

-- Waits until an item has ended here, or until it is time for the next look.
local function await(taker)
  local loop = taker.fleet.loop
  if taker.under_way >= taker.fleet.workers then return taker.gate.wait() end
  taker.gate.wait(loop.now() + PAUSE * (1 + taker.fleet.runtime.random()))
end

-- Looks if other processes may have ended or given up items since; opens the next stage.
local function go_on(taker)
  local view, open = taker.view, taker.view.open
  local is_idle = taker.under_way < taker.fleet.workers
    and taker.fleet.loop.now() - view.looked_at >= PAUSE
  if is_idle or taker.refused >= MOST_REFUSED then return look(taker) end
  local ok, err = view:advance()
  if not ok then taker.fault = taker.fault or err end
  if view.open > open then taker.place = 1 end
end

local function work(taker)
  local stranded = 0
  look(taker)
  while not is_stopped(taker) and stranded < PATIENCE and not is_through(taker) do
    fill(taker)
    if is_stopped(taker) then break end
    await(taker)
    go_on(taker)
    stranded = taker.under_way == 0 and is_stranded(taker) and stranded + 1 or 0
  end
  while taker.under_way > 0 do taker.gate.wait() end
end

local function summary(taker)
  local counts = taker.view:counts()
  return { count = counts.count, left = taker.view:left(), ran = taker.ran,
    done = counts.done, failed = counts.failed, left_out = counts.left_out }
end

-- The clients of the accounts that this process has keys for.
local function clients_of(fleet)
  local list = {}
  for _, account in ipairs(tables.keys(fleet.clients)) do
    list[#list + 1] = fleet.clients[account] or nil
  end
  return list
end

-- Sends events "headway", if asked for; they count the items of all processes.
local function keep_told(taker)
  local fleet = taker.fleet
  if not fleet.headway then return nil end
  return headways.keep { headway = taker.headway, every = fleet.headway, loop = fleet.loop,
    time = fleet.runtime.time, counts = function() return taker.view:counts() end,
    clients = function() return clients_of(fleet) end,
    tell = function(event)
      event.at = fleet.runtime.time()
      fleet:tell(event)
    end }
end

local function held(taker)
  local hold = taker.view.held
  return rosters.failure(taker.fleet, "Client.FleetHeld", ("it is on hold: %s (by %s)"):format(
    tostring(hold.why), tostring(hold.by)), "see what has failed, then release it: fleet:release")
end

--- Takes items until all have ended or the fleet is stopped, see Fleet:run.
---@param fleet alicloud.dr.Fleet
---@return alicloud.dr.FleetResult|nil
---@return alicloud.Error? err
function M.run(fleet)
  local taker = setmetatable({ fleet = fleet, view = views.new(fleet), order = shuffled(fleet),
    place = 1, refused = 0, under_way = 0, ran = 0, gate = fleet.loop.gate(),
    headway = headways.new(fleet.meta.count) }, Taker)
  local shares, fault = rates.join(fleet)
  if not shares then return nil, fault end
  local _ <close> = setmetatable({}, { __close = function() rates.leave(shares) end })
  fleet.loop.scope(function()
    local _ <close> = fleet.loop.spawn(rates.keep, fleet, shares)
    local _ <close> = keep_told(taker)
    work(taker)
  end)
  if taker.raised ~= nil then error(taker.raised, 0) end
  if taker.fault then return nil, taker.fault end
  local ok, err = taker.view:look()
  if not ok then return nil, err end
  if taker.view.held and taker.view:left() > 0 then return nil, held(taker) end
  return summary(taker)
end

return M
