--- The pollables of a loop (transports, programs) and who waits for each; one descriptor can stand
--- for all of them.
--
-- An event loop watches that one descriptor and never those of the pollables: these are closed
-- whenever a program ends, and their numbers are used again.

local core = require "alicloud.core"

local M = {}

---@class alicloud.loop.PollSet
---@field waiting table<table, alicloud.loop.Waiting> by pollable
---@field order table[] the pollables, the longest known first
---@field group alicloud.PollGroup? nil until somebody asks for a descriptor
---@field owners table<integer, alicloud.loop.Waiting> by descriptor in the group
local PollSet = {}
PollSet.__index = PollSet

--- An empty set.
---@return alicloud.loop.PollSet
function M.new()
  return setmetatable({ waiting = {}, order = {}, owners = {} }, PollSet)
end

-- The waiters of one pollable.
---@class alicloud.loop.Waiting: alicloud.loop.Waiter[]
---@field fd integer? its descriptor in the group
---@field tickets table<integer, alicloud.loop.Waiter> by the ticket of the operation they wait for
---@field others integer number of waiters without an operation
---@field watch table? timer of the earliest deadline, see alicloud.loop.waiting

-- The number of a closed descriptor may belong to another pollable by now: that one keeps it.
function PollSet:unwatch(list)
  local fd = list.fd
  list.fd = nil
  if not fd or self.owners[fd] ~= list then return end
  self.owners[fd] = nil
  self.group:remove(fd)
end

-- A transport has another descriptor in a forked child, of which the group knows nothing yet.
function PollSet:watch(list, pollable)
  local fd = pollable:pollfd()
  if fd ~= list.fd then
    self:unwatch(list)
    if fd then
      self.group:remove(fd)
      list.fd, self.owners[fd] = fd, list
    end
  end
  if fd then self.group:add(fd) end
end

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
  if self.group then self:watch(list, pollable) end
  local place = #list + 1
  list[place], waiter.place = waiter, place
  if waiter.op then
    list.tickets[waiter.ticket] = waiter
  else
    list.others = list.others + 1
  end
  return list
end

-- The last one takes the free place: the waiters of a pollable are woken in no promised order.
---@param waiter alicloud.loop.Waiter that has a place
---@return alicloud.loop.Waiting|nil list that it was in
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

--- The waiters of a pollable; a loop over them from the end may remove them.
---@param pollable table
---@return alicloud.loop.Waiting|nil
function PollSet:of(pollable)
  return self.waiting[pollable]
end

--- The pollables that have waiters, the longest known first. Others are dropped.
---@return table[]
function PollSet:pollables()
  local kept = {}
  for _, pollable in ipairs(self.order) do
    local list = self.waiting[pollable]
    if #list > 0 then
      kept[#kept + 1] = pollable
    else
      self:unwatch(list)
      self.waiting[pollable] = nil
    end
  end
  self.order = kept
  return table.move(kept, 1, #kept, 1, {})
end

--- Stops watching a pollable; to be called before it is closed.
---@param pollable table
function PollSet:release(pollable)
  local list = self.waiting[pollable]
  if list then self:unwatch(list) end
end

--- One descriptor that is readable when one of the pollables is ready. It stays the same for as
--- long as the set is there, except in a forked child.
---@return integer
function PollSet:descriptor()
  if not self.group then
    self.group = core.poll_group()
    for _, pollable in ipairs(self:pollables()) do
      self:watch(self.waiting[pollable], pollable)
    end
  end
  return self.group:pollfd()
end

local function descriptors(list)
  local fds = {}
  for _, pollable in ipairs(list) do fds[#fds + 1] = pollable:pollfd() end
  return fds
end

--- Seconds until the first of some pollables is to be stepped by the clock; nil: none is.
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

--- Makes one pollable of several, for a loop that takes only one; its descriptor is their array.
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
---@field pollfd fun(self: alicloud.Pollable): integer descriptor to watch, always the same (in a
--- forked child another one)
---@field events fun(self: alicloud.Pollable): string "r"
---@field timeout fun(self: alicloud.Pollable): number? seconds after which `step` is wanted even if
--- the descriptor is quiet
---@field step fun(self: alicloud.Pollable) lets everything that is ready go on; never waits

--- All waits of a loop as one pollable, in the poll protocol of cqueues.
---@param loop alicloud.loop.Loop
---@return alicloud.Pollable
function M.of_loop(loop)
  return {
    pollfd = function() return loop.descriptor() end,
    events = function() return "r" end,
    timeout = function() return loop.timeout() end,
    step = function() loop.step() end,
  }
end

return M
