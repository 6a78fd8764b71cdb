--- Turns of tasks that write one journal, or do something else that only one may do at a time:
--- first come, first served.

local errors = require "alicloud.base.error"

local M = {}

-- Most seconds of one turn. Every turn ends in time, unless its task is never resumed, as when a
-- host drops a coroutine; that must not hold the others up for ever.
local LONGEST = 120

---@class alicloud.dr.Turns
---@field loop alicloud.loop.Loop?
---@field unended string message for the error if a turn does not end
---@field holder alicloud.dr.Turn? the present turn
---@field since number? monotonic seconds, when it began
---@field waiting alicloud.dr.Turn[]
local Turns = {}
Turns.__index = Turns

---@class alicloud.dr.Turn
---@field turns alicloud.dr.Turns
---@field gate { wait: fun(deadline: number), open: fun() }? while it is waited for
local Turn = {}
Turn.__index = Turn

---@param loop? alicloud.loop.Loop to wait in; nil: no turn is asked for while another is held
---@param unended? string message for the error if a turn does not end (a record is not written)
---@return alicloud.dr.Turns
function M.new(loop, unended)
  return setmetatable({ loop = loop, waiting = {},
    unended = unended or "a record before this one is not written" }, Turns)
end

--- Makes a turn that is not taken yet. The caller has to close it.
---@return alicloud.dr.Turn
function Turns:new_turn()
  return setmetatable({ turns = self }, Turn)
end

local function hand_over(turns, turn)
  turns.holder, turns.since = turn, turns.loop and turns.loop.now()
end

-- Waits for a turn; false if the turn that is held lasts too long. The number of turns before does
-- not matter.
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

--- Waits for the turn. Raises if the waiting task is cancelled.
---@return boolean|nil ok
---@return alicloud.Error? err the turn before does not end
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

--- Ends the turn, or the wait for it; the next one in line gets its turn.
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
