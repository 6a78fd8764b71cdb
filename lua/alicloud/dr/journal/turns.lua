--- Turns of those who write one journal, or do else what only one may do at a time: in the order in
--- which they came.

local errors = require "alicloud.base.error"

local M = {}

-- Seconds of one turn. Each takes a limited time, but whoever never comes back from a wait, as a
-- generator that its host has dropped, must not hold the others up for ever.
local LONGEST = 120

---@class alicloud.dr.Turns
---@field loop alicloud.loop.Loop?
---@field unended string what is so where a turn has no end
---@field holder alicloud.dr.Turn? whose turn it is
---@field since number? since when, monotonic
---@field waiting alicloud.dr.Turn[]
local Turns = {}
Turns.__index = Turns

---@class alicloud.dr.Turn
---@field turns alicloud.dr.Turns
---@field gate { wait: fun(deadline: number), open: fun() }? of one that waits
local Turn = {}
Turn.__index = Turn

---@param loop? alicloud.loop.Loop in which one waits; without it nobody comes while another writes
---@param unended? string what is so where a turn has no end (a record is not written)
---@return alicloud.dr.Turns
function M.new(loop, unended)
  return setmetatable({ loop = loop, waiting = {},
    unended = unended or "a record before this one is not written" }, Turns)
end

--- A turn that is not taken yet. It is to be closed.
---@return alicloud.dr.Turn
function Turns:new_turn()
  return setmetatable({ turns = self }, Turn)
end

local function hand_over(turns, turn)
  turns.holder, turns.since = turn, turns.loop and turns.loop.now()
end

-- Those before may be many; only one of them that has no end is too long.
local function await(turns, turn, loop)
  turn.gate = loop.gate()
  turns.waiting[#turns.waiting + 1] = turn
  while turns.holder ~= turn do
    local ends = turns.since + LONGEST
    if loop.now() >= ends then return false end
    turn.gate.wait(ends)
  end
  return true
end

--- Waits for it. Raises where whoever waits is cancelled.
---@return boolean|nil ok
---@return alicloud.Error? err it never comes
function Turn:take()
  local turns = self.turns
  local loop = turns.loop
  if not turns.holder then
    hand_over(turns, self)
    return true
  end
  assert(loop, "two write at a time, and nobody can wait")
  if not await(turns, self, loop) then
    return nil, errors.new { kind = "journal", code = "Client.JournalFailed",
      outcome = "not_sent",
      message = ("%s after %d s"):format(turns.unended, LONGEST) }
  end
  loop.checkpoint()
  return true
end

--- Ends it, or the wait for it; the next one has his.
function Turn:__close()
  local turns = self.turns
  if turns.holder == self then
    local following = table.remove(turns.waiting, 1)
    hand_over(turns, following)
    if following then following.gate.open() end
    return
  end
  for i, other in ipairs(turns.waiting) do
    if other == self then return table.remove(turns.waiting, i) end
  end
end

return M
