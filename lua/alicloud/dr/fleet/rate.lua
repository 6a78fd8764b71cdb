--- Shares the quota of an account between the processes that take items of it. Each process writes
--- a key that lives as long as its session, counts these keys regularly, and uses an equal part.
---
---     PREFIX/v1/rates/ACCOUNT/SESSION
---
--- Together they stay under the quota. A count is valid for a short time; after that a process
--- sends nothing until it has counted again. A new process that finds others waits longer than
--- that, so that all have counted it. A smaller count must be seen twice before a process uses the
--- larger part: by then calls of the process that left are over.

local support = require "alicloud.dr.store.shared.support"

local M = {}

-- LONGEST_PAUSE: most seconds between two counts; HOLDS: pauses for which a count is valid.
local LONGEST_PAUSE, HOLDS = 4, 1.5
-- Seconds: the service counts calls per second.
local SECOND = 1
local PAGE = 500

---@class alicloud.dr.RateShare
---@field fleet alicloud.dr.Fleet
---@field account string
---@field client alicloud.Client
---@field from number boottime in seconds before which it sends nothing
---@field counted integer? result of the last count

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

-- Counts, and sets the client's part. After a failed count the last part is used until it expires.
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

--- Stops counting. The client keeps its part without an end: its owner may use it further while
--- other processes go on.
---@param shares alicloud.dr.RateShare[]
function M.leave(shares)
  for _, share in ipairs(shares) do
    share.client:share_rate { parts = share.counted or 1, from = 0, ends = math.huge }
  end
end

--- Joins the quotas of all accounts that this process has keys for.
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

--- Counts regularly, until it is cancelled or the session is lost.
---@param fleet alicloud.dr.Fleet
---@param shares alicloud.dr.RateShare[]
function M.keep(fleet, shares)
  while not fleet.session:lost() do
    fleet.loop.sleep(pause_of(fleet))
    for _, share in ipairs(shares) do renew(share) end
  end
end

return M
