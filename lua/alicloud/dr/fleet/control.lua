--- What a person does with a fleet: put it on hold, release it, open items again, read its state.

local divisions = require "alicloud.dr.fleet.division"
local rosters = require "alicloud.dr.fleet.roster"
local support = require "alicloud.dr.store.shared.support"
local views = require "alicloud.dr.fleet.view"

local M = {}

---@class alicloud.dr.FleetStatus
---@field name string
---@field playbook string
---@field begun_at number unix seconds
---@field by string the process that made it
---@field count integer
---@field done integer
---@field failed integer
---@field left_out integer
---@field under_way integer
---@field open integer items that have neither ended nor are under way
---@field stage integer the last stage that is open
---@field stages integer
---@field hold { why: string, by: string, at: number? }|nil
---@field items alicloud.dr.ItemStatus[] in the order of the fleet

---@class alicloud.dr.ItemStatus
---@field account string
---@field group string
---@field region string
---@field stage integer
---@field journal string address
---@field state "open"|"under_way"|"done"|"failed"|"left_out"
---@field ending alicloud.dr.ItemEnd?
---@field holder alicloud.dr.Holder? the process that has it under way

--- Puts a fleet on hold; an earlier hold stays as it is.
---@param fleet alicloud.dr.Fleet
---@param why string
---@param by? string
---@return boolean|nil ok
---@return alicloud.Error? err
function M.hold(fleet, why, by)
  local text = rosters.hold_text(fleet, why, by)
  local made, err = support.persist(fleet, function()
    return fleet.keys:create(rosters.key(fleet, "hold"), text)
  end)
  if made == nil then return nil, err end
  return true
end

-- Deletes a key if it has not changed since it was read; not if `may_stay` says so.
local function drop(fleet, key, may_stay)
  local entry, err = support.get(fleet, key)
  if not entry then return entry, err end
  if may_stay and may_stay(entry) then return false end
  local ok
  ok, err = support.persist(fleet, function() return fleet.keys:drop(key, entry.version) end)
  if ok == nil then return nil, err end
  return ok
end

--- Releases a fleet. Its failures are deleted first: with them the next failure would stop it
--- again.
---@param fleet alicloud.dr.Fleet
---@return boolean|nil was_held
---@return alicloud.Error? err
function M.release(fleet)
  local ok, err = drop(fleet, rosters.key(fleet, "failures"))
  if ok == nil then return nil, err end
  return drop(fleet, rosters.key(fleet, "hold"))
end

local function is_done(entry)
  return views.ending_of(entry).outcome == "done"
end

local function is_meant(item, which)
  return which == "all" or which == item.group or which == divisions.name_of(item)
end

--- Opens items again that have failed or were left out.
---@param fleet alicloud.dr.Fleet
---@param which string a group, ACCOUNT/GROUP, or "all"
---@return string[]|nil names
---@return alicloud.Error? err
function M.again(fleet, which)
  local view = views.new(fleet)
  local ok, err = view:look()
  if not ok then return nil, err end
  local names = {}
  for _, item in ipairs(fleet.items) do
    local ending = view.ended[divisions.name_of(item)]
    if ending and ending.outcome ~= "done" and is_meant(item, which) then
      -- Another controller may have done the item again since the look.
      ok, err = drop(fleet, rosters.key(fleet, "done", item.account, item.group), is_done)
      if ok == nil then return nil, err end
      if ok then names[#names + 1] = divisions.name_of(item) end
    end
  end
  if names[1] then return names end
  return nil, rosters.failure(fleet, "Client.NoSuchStep",
    ("no item that has failed or was left out is %s"):format(which), "see them: fleet:status")
end

local function item_status(fleet, item, ending, holder)
  return { account = item.account, group = item.group, region = item.region, stage = item.stage,
    journal = fleet:journal(item), ending = ending, holder = holder,
    state = ending and ending.outcome or holder and "under_way" or "open" }
end

--- The state of a fleet.
---@param fleet alicloud.dr.Fleet
---@return alicloud.dr.FleetStatus|nil
---@return alicloud.Error? err
function M.status(fleet)
  local view = views.new(fleet)
  local ok, err = view:look()
  if not ok then return nil, err end
  local status = { name = fleet.name, playbook = fleet.meta.playbook, count = fleet.meta.count,
    begun_at = fleet.meta.at, by = fleet.meta.by,
    done = 0, failed = 0, left_out = 0, under_way = 0, open = 0, stage = view.open,
    stages = #fleet.meta.stages, hold = view.held, items = {} }
  for i, item in ipairs(fleet.items) do
    local name = divisions.name_of(item)
    local one = item_status(fleet, item, view.ended[name], view.taken[name])
    status.items[i], status[one.state] = one, status[one.state] + 1
  end
  return status
end

return M
