--- Reads one group from both of its sites. The site that the group object names has to answer; the
--- other one may stay unknown.

local group_reads = require "alicloud.dr.read.groups"
local part_set = require "alicloud.dr.model.part_set"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"

local M = {}

-- So many looks must show a contradiction between the sites before it is believed.
local LOOKS = 3
local PAUSE = 2

--- Seconds for which lists of a group and its pairs may lag behind each other. Fewer than the
--- minute that the ready playbooks give a fence and the look before a stop: these end with what was
--- seen.
M.LAG = 40

--- Seconds between two looks while the lists may lag.
M.LAG_PAUSE = 5

-- The other region is not waited for: if it is down, it must not hold this one up.
local FAR_DEADLINE = 10
local AT_ONCE = { seconds = 0 }

---@class alicloud.dr.Sites
---@field here alicloud.dr.Snapshot from the region of the group object
---@field far string|nil the other region; nil: both sites lie in one region
---@field there alicloud.dr.Snapshot|nil from the other region; nil: it does not list the group, or
---could not be read
---@field unreachable alicloud.Error|nil why the other region could not be read

local function far_region(snapshot)
  for _, place in ipairs { snapshot.from, snapshot.to } do
    if place.region ~= "" and place.region ~= snapshot.region then return place.region end
  end
  return nil
end

--- Looks once from each side.
---@param group alicloud.dr.Group
---@return alicloud.dr.Sites|nil
---@return alicloud.Error? err of the group's own region
function M.read(group)
  local here, err = group:observe()
  if not here then return nil, err end
  local sites = { here = here, far = far_region(here) }
  if not sites.far then return sites end
  local there, far_err = group_reads.read(group.client:outlasting(AT_ONCE), group.id, sites.far,
    { deadline = FAR_DEADLINE })
  if there and there.role ~= "absent" then sites.there = there end
  sites.unreachable = far_err
  return sites
end

--- How the two sides contradict each other, in words.
---@param sites alicloud.dr.Sites
---@return string|nil nil if they agree, or only one is known
function M.disagreement(sites)
  local here, there = sites.here, sites.there
  if not there then return nil end
  if not snapshots.same_place(here.from, there.from)
    or not snapshots.same_place(here.to, there.to) then
    return ("%s shows %s, %s shows %s"):format(here.region, snapshots.direction(here),
      there.region, snapshots.direction(there))
  end
  if not states.follows(here.status, there.status)
    and not states.follows(there.status, here.status) then
    return ("%s shows %s, %s shows %s"):format(here.region, here.status, there.region, there.status)
  end
  local difference = snapshots.id_difference(snapshots.ids(here), snapshots.ids(there))
  return difference and ("the pair set that %s shows %s"):format(there.region, difference)
end

--- Looks from both sides until they agree (at most LOOKS times) and the pair set is whole (at most
--- LAG seconds, or a person has overruled that it is not). Returns the last look in any case.
---@param group alicloud.dr.Group
---@param given { loop: alicloud.Loop, emit: fun(event: table), force: alicloud.dr.Force[]? } emit
---gets each look
---@return alicloud.dr.Sites|nil
---@return alicloud.Error? err
function M.agree(group, given)
  local loop, looks = given.loop, 0
  local ends = loop.now() + M.LAG
  while true do
    local sites, err = M.read(group)
    if not sites then return nil, err end
    looks = looks + 1
    given.emit { event = "looked", snapshot = sites.here, sites = sites }
    local lags = snapshots.pair_set_fault(sites.here) ~= nil
      and not part_set.overruled(sites.here, given.force)
    if sites.here.role == "absent" or not (lags or M.disagreement(sites)) then return sites end
    if looks >= LOOKS and not (lags and loop.now() < ends) then return sites end
    loop.sleep(looks < LOOKS and PAUSE or M.LAG_PAUSE)
  end
end

--- What the other region has shown, in a word.
---@param sites alicloud.dr.Sites that do not contradict each other
---@return "agrees"|"same"|"unknown" same: there is no other region
function M.other_site(sites)
  if not sites.far then return "same" end
  return sites.there and "agrees" or "unknown"
end

return M
