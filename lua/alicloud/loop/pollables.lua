--- Who waits for which transport, and several transports seen as one.

local M = {}

---@class alicloud.loop.Interests
local Interests = {}
Interests.__index = Interests

--- An empty register.
---@return alicloud.loop.Interests
function M.new()
  return setmetatable({ waiting = {}, order = {}, tickets = {} }, Interests)
end

---@param waiter alicloud.loop.Waiter with a pollable
function Interests:add(waiter)
  local pollable = waiter.pollable
  local list = self.waiting[pollable]
  if not list then
    list = {}
    self.waiting[pollable], self.tickets[pollable] = list, {}
    self.order[#self.order + 1] = pollable
  end
  local place = #list + 1
  list[place], waiter.place = waiter, place
  local op = waiter.op
  if op and op.ticket then
    local ticket = op:ticket()
    waiter.ticket = ticket
    self.tickets[pollable][ticket] = waiter
  end
end

-- The gap is closed with the last one: who waits for one transport is woken in no promised order.
---@param waiter alicloud.loop.Waiter
function Interests:remove(waiter)
  local place = waiter.place
  local list = place and self.waiting[waiter.pollable]
  if not list then return end
  local count = #list
  local last = list[count]
  list[count] = nil
  if last ~= waiter then list[place], last.place = last, place end
  waiter.place = nil
  if waiter.ticket then self.tickets[waiter.pollable][waiter.ticket] = nil end
end

--- Who waits for an operation.
---@param pollable table
---@param ticket integer
---@return alicloud.loop.Waiter|nil
function Interests:holder(pollable, ticket)
  return self.tickets[pollable][ticket]
end

--- Everyone who waits for a transport; a copy, so that they may leave meanwhile.
---@param pollable table
---@return alicloud.loop.Waiter[]
function Interests:of(pollable)
  return table.move(self.waiting[pollable] or {}, 1, #(self.waiting[pollable] or {}), 1, {})
end

--- The transports that somebody waits for, the longest known first.
---@return table[]
function Interests:pollables()
  local kept = {}
  for _, pollable in ipairs(self.order) do
    if #self.waiting[pollable] > 0 then
      kept[#kept + 1] = pollable
    else
      self.waiting[pollable], self.tickets[pollable] = nil, nil
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

local function earliest(list)
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
    timeout = function() return earliest(list) end,
  }
end

return M
