--- The quota of an account, shared between the processes that take items of it. Each writes a key
--- that lives as long as its session, counts the keys again and again, and takes one part of so
--- many.
---
---     PREFIX/v1/rates/ACCOUNT/SESSION
---
--- Together they stay under the quota: what a process has counted holds for a while only, after
--- which it sends nothing until it has counted again; and whoever comes anew and finds others waits
--- for longer than that, so that all of them have seen it. Who sees fewer than before takes the
--- larger part when it has seen so twice: what the other one has sent is over then.

local support = require "alicloud.dr.store.shared.support"

local M = {}

-- Seconds between two counts, at most. So many times that long a count holds.
local LONGEST_PAUSE, HOLDS = 4, 1.5
-- The service counts by the second.
local SECOND = 1
local PAGE = 500

---@class alicloud.dr.RateShare
---@field fleet alicloud.dr.Fleet
---@field account string
---@field client alicloud.Client
---@field from number seconds of boottime before which it sends nothing
---@field counted integer? the last time

local function prefix_of(fleet, account)
  return ("%s/v1/rates/%s/"):format(fleet.prefix, support.part(account))
end

local function pause_of(fleet)
  return math.min(fleet.session.ttl / 4, LONGEST_PAUSE)
end

local function count(fleet, account)
  local prefix, number, after, more = prefix_of(fleet, account), 0, nil, true
  while more do
    local entries
    entries, more = fleet.keys:list(prefix, after, PAGE)
    if not entries then return nil, more end
    number = number + #entries
    if entries[1] then after = entries[#entries].key end
  end
  return number
end

-- A count that fails leaves the one before as it is; it lapses by itself.
local function renew(share)
  local fleet = share.fleet
  local asked_at = fleet.runtime.boottime()
  local number, err = count(fleet, share.account)
  if not number then return nil, err end
  number = math.max(number, 1)
  share.client:share_rate { parts = math.max(number, share.counted or 1), from = share.from,
    ends = asked_at + HOLDS * pause_of(fleet) }
  share.counted = number
  return number
end

local function enter(fleet, account)
  local key = prefix_of(fleet, account) .. support.part(fleet.session.id)
  local made, err = support.persist(fleet, function()
    return fleet.keys:create(key, fleet.who, fleet.session.id)
  end)
  return made ~= nil, err
end

local function begin(fleet, share)
  local ok, err = enter(fleet, share.account)
  if not ok then return nil, err end
  local number
  number, err = support.persist(fleet, function() return renew(share) end)
  if not number then return nil, err end
  if number > 1 then
    share.from = fleet.runtime.boottime() + HOLDS * pause_of(fleet) + SECOND
    ok, err = renew(share)
    if not ok then return nil, err end
  end
  return true
end

--- Takes part no more. A client serves whoever has given it afterwards, too: it keeps its part,
--- since others may go on, and waits for no further count.
---@param shares alicloud.dr.RateShare[]
function M.leave(shares)
  for _, share in ipairs(shares) do
    share.client:share_rate { parts = share.counted or 1, from = 0, ends = math.huge }
  end
end

--- Takes part in the quotas of all accounts for which there are keys.
---@param fleet alicloud.dr.Fleet with a session
---@return alicloud.dr.RateShare[]|nil
---@return alicloud.Error? err
function M.join(fleet)
  local shares, seen = {}, {}
  for _, item in ipairs(fleet.items) do
    local account = item.account
    if not seen[account] and fleet:client_of(account) then
      local share = { fleet = fleet, account = account, client = fleet:client_of(account),
        from = 0 }
      shares[#shares + 1] = share
      local ok, err = begin(fleet, share)
      if not ok then
        M.leave(shares)
        return nil, err
      end
    end
    seen[account] = true
  end
  return shares
end

--- Counts again and again, until it is cancelled.
---@param fleet alicloud.dr.Fleet
---@param shares alicloud.dr.RateShare[]
function M.keep(fleet, shares)
  while not fleet.session:lost() do
    fleet.loop.sleep(pause_of(fleet))
    for _, share in ipairs(shares) do renew(share) end
  end
end

return M
