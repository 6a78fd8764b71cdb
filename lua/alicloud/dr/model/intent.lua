--- The intent of a change: one group, one direction, one set of pairs, one token. It is a plain
--- value that is made before the call is sent. Every later look is compared with it
--- (alicloud.dr.model.phase).

local core = require "alicloud.core"
local pair_set = require "alicloud.dr.model.pair_set"
local snapshots = require "alicloud.dr.model.snapshot"

local M = {}

---@class alicloud.dr.Intent
---@field group_id string
---@field region string where the call goes; of a failover: the region of the secondary site
---@field unit "pair"|nil "pair": the id is that of a pair without a group
---@field from alicloud.dr.Place
---@field to alicloud.dr.Place
---@field status string status of the group when it was decided
---@field pairs string[] sorted ids, never empty
---@field pair_status table<string, string> status of each pair when it was decided
---@field client_token string
---@field pair_fault string? why the pairs were not a whole set, which a person has overruled
---@field recover_point integer? unix seconds, the oldest one of the look that led to the decision
---@field group_recover_point integer? unix seconds; nil in a failover
---@field pair_recover_point table<string, integer>? unix seconds by pair; nil in a failover

--- A token that is derived from some facts. Each is hashed with its length, so that no two lists of
--- facts give the same token.
---@param parts string[] changed in place
---@return string 64 hexadecimal digits
function M.digest(parts)
  for i, part in ipairs(parts) do parts[i] = #part .. ":" .. part end
  return core.sha256(table.concat(parts))
end

--- The token of a failover in an incident: every operator derives the same one, on any machine. A
--- failover after a failed one gets another token, since under the first the service would only
--- repeat its first answer.
---@param snapshot alicloud.dr.Snapshot group, direction, and whether a failover failed before
---@param incident string
---@return string 64 hexadecimal digits
function M.incident_token(snapshot, incident)
  local parts = { "failover", snapshot.group_id, snapshot.from.region, snapshot.from.zone or "",
    snapshot.to.region, snapshot.to.zone or "", incident }
  if snapshot.status == "failover_failed" then parts[#parts + 1] = "again" end
  return M.digest(parts)
end

--- The next name of an incident, for a request after the token of its name is used up. Every
--- operator derives the same name.
---@param incident string
---@return string e.g. "INC-7+2", then "INC-7+3"
function M.next_incident(incident)
  local name, generation = incident:match "^(.+)%+(%d%d?%d?)$"
  return ("%s+%d"):format(name or incident, (tonumber(generation) or 1) + 1)
end

--- The token that follows a refused one; the same for everybody.
---@param token string
---@return string 64 hexadecimal digits
function M.renewed(token) return core.sha256("renewed:" .. token) end

--- The token of the first of an incident's names whose token is not used up.
---@param incident string
---@param spent table<string, boolean|"refused">|nil
---@param derive fun(incident: string): string
---@return string token
---@return string name
function M.unspent(incident, spent, derive)
  local token = derive(incident)
  while spent and spent[token] do
    incident = M.next_incident(incident)
    token = derive(incident)
  end
  return token, incident
end

--- Makes the intent of a failover from a snapshot.
---@param snapshot alicloud.dr.Snapshot with a whole pair set, unless a person has overruled that
---@param client_token string
---@return alicloud.dr.Intent
function M.new(snapshot, client_token)
  local status_of = {}
  for _, pair in ipairs(snapshot.pairs) do status_of[pair.id] = pair.status end
  return {
    group_id = snapshot.group_id, region = snapshot.region,
    from = snapshot.from, to = snapshot.to, status = snapshot.status,
    unit = snapshot.unit, pairs = snapshots.ids(snapshot), pair_status = status_of,
    pair_fault = snapshots.pair_set_fault(snapshot),
    client_token = client_token, recover_point = snapshot.recover_point,
  }
end

--- Says in words that the direction has changed.
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return string
function M.other_direction(intent, snapshot)
  return ("direction was %s, now it is %s"):format(snapshots.direction(intent),
    snapshots.direction(snapshot))
end

--- How the pairs of a snapshot differ from those of an intent, in words. If the set was not whole,
--- others may be listed later, and are awaited like those of the intent.
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return string|nil difference nil if there is none
function M.set_difference(intent, snapshot)
  local ids = snapshots.ids(snapshot)
  if not intent.pair_fault then return snapshots.id_difference(intent.pairs, ids) end
  local lacking = pair_set.only_in(intent.pairs, ids)
  return #lacking > 0 and "lacks " .. table.concat(lacking, ", ") or nil
end

--- How a snapshot differs from an intent in direction or pair set, in words.
---@param intent alicloud.dr.Intent
---@param snapshot alicloud.dr.Snapshot
---@return string|nil difference nil if there is none
function M.difference(intent, snapshot)
  if not snapshots.same_place(intent.from, snapshot.from)
    or not snapshots.same_place(intent.to, snapshot.to) then
    return M.other_direction(intent, snapshot)
  end
  local difference = M.set_difference(intent, snapshot)
  return difference and "the pair set " .. difference
end

return M
