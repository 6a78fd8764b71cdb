--- A seat of `run:each`: as many jobs are at work at a time as there are seats. A job that only
--- waits for the end of a failover leaves its seat to another one.

local M = {}

---@class alicloud.dr.Seat
---@field round table of alicloud.dr.playbook.parallel
---@field job table that has the seat
---@field expected { left: fun() }? is told when the job ends, see alicloud.dr.read.batched
---@field taken boolean
local Seat = {}
Seat.__index = Seat

--- Stops counting the job as at work, so that another one may begin. With a width of 1 a job keeps
--- its seat until its end.
function Seat:leave()
  local round = self.round
  if not self.taken or round.width == 1 and not self.job.over then return end
  self.taken, round.busy, round.moved = false, round.busy - 1, true
  round.gate.open()
end

--- Counts the job again, even if there are more jobs at work than seats then.
function Seat:take()
  if not self.taken then self.taken, self.round.busy = true, self.round.busy + 1 end
end

--- The job has ended.
function Seat:__close()
  local round, job = self.round, self.job
  job.over, round.ended[#round.ended + 1] = true, job
  if self.expected then self.expected.left() end
  self:leave()
  round.gate.open()
end

--- Takes a seat for a job that begins; it is to be closed when the job's task ends.
---@param round table
---@param job table
---@param expected { left: fun() }?
---@return alicloud.dr.Seat
function M.take(round, job, expected)
  round.busy = round.busy + 1
  return setmetatable({ round = round, job = job, expected = expected, taken = true }, Seat)
end

return M
