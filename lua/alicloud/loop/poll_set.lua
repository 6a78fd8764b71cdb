--- Who waits for which transport, and several transports seen as one.

local M = {}

---@class alicloud.loop.PollSet
local PollSet = {}
PollSet.__index = PollSet

--- An empty set.
---@return alicloud.loop.PollSet
function M.new()
  return setmetatable({ waiting = {}, order = {} }, PollSet)
end

-- Those who wait for one transport.
---@class alicloud.loop.Waiting: alicloud.loop.Waiter[]
---@field tickets table<integer, alicloud.loop.Waiter> who waits for which operation
---@field others integer how many wait for none
---@field watch table? see alicloud.loop.scheduler

---@param waiter alicloud.loop.Waiter with a pollable
---@return alicloud.loop.Waiting
function PollSet:add(waiter)
  local pollable = waiter.pollable
  local list = self.waiting[pollable]
  if not list then
    list = { tickets = {}, others = 0 }
    self.waiting[pollable] = list
    self.order[#self.order + 1] = pollable
  end
  local place = #list + 1
  list[place], waiter.place = waiter, place
  if waiter.op then
    list.tickets[waiter.ticket] = waiter
  else
    list.others = list.others + 1
  end
  return list
end

-- The gap is closed with the last one: who waits for one transport is woken in no promised order.
---@param waiter alicloud.loop.Waiter that has a place
---@return alicloud.loop.Waiting|nil of whom it was one
function PollSet:remove(waiter)
  local list, place = self.waiting[waiter.pollable], waiter.place
  local count = #list
  local last = list[count]
  list[count] = nil
  if last ~= waiter then list[place], last.place = last, place end
  waiter.place = nil
  if waiter.op then
    list.tickets[waiter.ticket] = nil
  else
    list.others = list.others - 1
  end
  return list
end

--- Everyone who waits for a transport; from the end on they may be taken out meanwhile.
---@param pollable table
---@return alicloud.loop.Waiting|nil
function PollSet:of(pollable)
  return self.waiting[pollable]
end

--- The transports that somebody waits for, the longest known first.
---@return table[]
function PollSet:pollables()
  local kept = {}
  for _, pollable in ipairs(self.order) do
    if #self.waiting[pollable] > 0 then
      kept[#kept + 1] = pollable
    else
      self.waiting[pollable] = nil
    end
  end
  self.order = kept
  return table.move(kept, 1, #kept, 1, {})
end

local function descriptors(list)
  local fds = {}
  for _, pollable in ipairs(list) do fds[#fds + 1] = pollable:pollfd() end
  return fds
end

--- When the first of them is to be stepped by the clock.
---@param list table[]
---@return number? seconds
function M.earliest(list)
  local least
  for _, pollable in ipairs(list) do
    local seconds = pollable:timeout()
    if seconds and (not least or seconds < least) then least = seconds end
  end
  return least
end

--- One pollable for a loop that takes only one. Its descriptor is an array of theirs.
---@param list table[] not empty
---@return table pollable
function M.together(list)
  if #list == 1 then return list[1] end
  return {
    pollfd = function() return descriptors(list) end,
    events = function() return "r" end,
    timeout = function() return M.earliest(list) end,
  }
end

---@class alicloud.Pollable
---@field pollfd fun(self: alicloud.Pollable): integer|nil descriptor to watch, the same for as long
--- as the client lives (in a forked child another one); nil over a transport of the host's
---@field events fun(self: alicloud.Pollable): string "r"
---@field timeout fun(self: alicloud.Pollable): number? seconds after which `step` is wanted even if
--- the descriptor is quiet
---@field step fun(self: alicloud.Pollable) lets everything that is ready go on; never waits

--- Transport and tasks of a client as the poll protocol of cqueues knows them.
---@param loop alicloud.loop.Scheduler
---@param adapter { pollable: fun(): table|nil }
---@return alicloud.Pollable
function M.of_client(loop, adapter)
  local pollable = {}

  function pollable.pollfd()
    local transport = adapter.pollable()
    return transport and transport:pollfd()
  end

  function pollable.events() return "r" end
  function pollable.timeout() return loop.timeout() end
  function pollable.step() loop.step() end

  return pollable
end

return M
