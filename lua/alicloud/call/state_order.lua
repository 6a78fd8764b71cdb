--- Whether a status can follow the one that the look before has shown. Anything can be in the end,
--- since others call, too; within some seconds, only what lies a step or two behind it. A change of
--- this client's own begins anew: what it leads to is judged by whoever has made it.

local documented = require "alicloud.service.ebs.states"

local M = {}

-- Seconds between two looks after which nothing can be said.
local NEAR = 10
local STEPS = 2
-- Of one look, so that a listing of everything costs nothing.
local MOST = 1000

local function moves_of(word)
  return documented.moves[word] or {}
end

local function reach(word, steps, found)
  found[word] = true
  if steps == 0 then return found end
  for _, following in ipairs(moves_of(word)) do reach(following, steps - 1, found) end
  return found
end

local reachable = {}

--- Whether a status is what another becomes within a step or two. A word that is not known, and one
--- of which no document says what follows, may become anything.
---@param before string
---@param now string
---@return boolean
function M.follows(before, now)
  if before == now or not documented.moves[before] or not documented.moves[now] then return true end
  -- A broken disk is no step of replication.
  if now == "invalid" then return true end
  reachable[before] = reachable[before] or reach(before, STEPS, {})
  return reachable[before][now] == true
end

-- Statuses and times by id; those of a site of a region are apart, since the sites may differ.
local function looks_at(differences, place)
  local looks = differences.looks or {}
  differences.looks = looks
  looks[place] = looks[place] or { words = {}, times = {}, count = 0 }
  return looks[place]
end

local function remember(look, id, word, now)
  if not look.words[id] then
    if look.count >= MOST then return end
    look.count = look.count + 1
  end
  look.words[id], look.times[id] = word, now
end

--- Compares the records of an answer with the look before.
---@param differences alicloud.Differences
---@param seen { place: string, whose: "group"|"pair", id: string, began: number, now: number } id:
---name of the field; began and now in seconds of one clock
---@param records table[]
function M.compare(differences, seen, records)
  local look, id_field = looks_at(differences, seen.place), seen.id
  for _, record in ipairs(records) do
    local id, word = record[id_field], record.Status
    if type(id) == "string" and type(word) == "string" then
      local before, at = look.words[id], look.times[id]
      -- Of two answers that were on their way together, nobody knows which is the older.
      local later = before ~= nil and at <= seen.began
      if later and seen.now - at <= NEAR and not M.follows(before, word) then
        differences:note("state_order", ("a %s went from %s to %s within %d s, and nothing here "
          .. "asked for that"):format(seen.whose, before, word, NEAR))
      end
      if later or not before then remember(look, id, word, seen.now) end
    end
  end
end

return M
