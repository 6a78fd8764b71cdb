--- A store that several controllers share, imitated over a simulated disk: each call waits in the
--- loop, what a record announces must leave within a window, and it can be lost to somebody else.

local errors = require "alicloud.base.error"

local M = {}

---@class spec.dr.SharedDisk: alicloud.dr.Store
---@field waits number seconds of each append
---@field window number? seconds
local Store = {}

local metatable = { __index = function(store, name)
  if Store[name] then return Store[name] end
  local below = store.below
  if type(below[name]) ~= "function" then return below[name] end
  return function(_, ...) return below[name](below, ...) end
end }

--- Opens it.
---@param disk alicloud.dr.Disk
---@param client alicloud.Client whose loop it waits in
---@param given? { waits?: number, window?: number, takeover_wait?: number, name?: string }
---@return spec.dr.SharedDisk
function M.open(disk, client, given)
  given = given or {}
  return setmetatable({ below = disk:open(given.name or "run"), loop = client.loop,
    runtime = client.runtime, shared = true, waits = given.waits or 0.5, window = given.window,
    takeover_wait = given.takeover_wait, listeners = {}, appending = 0 }, metatable)
end

-- The bytes are there in the middle of the wait.
function Store:append(seq, text, durable)
  local began = self.runtime.boottime()
  self.appending = self.appending + 1
  assert(self.appending == 1, "two records are appended at a time")
  local _ <close> = setmetatable({}, { __close = function() self.appending = 0 end })
  if self.fault then return nil, self.fault end
  self.loop.sleep(self.waits / 2)
  local ok, err = self.below:append(seq, text, durable)
  self.loop.sleep(self.waits / 2)
  if not ok then return nil, err end
  return true, durable and self.window and began + self.window or nil
end

function Store:lost()
  return self.fault
end

function Store:on_lost(listener)
  self.listeners[#self.listeners + 1] = listener
end

--- Somebody else has it from now on.
---@return alicloud.Error
function Store:lose()
  self.fault = errors.new { kind = "journal", code = "Client.JournalLost", outcome = "not_sent",
    message = "run is held by second (pid 7 on beta) since 2026-11-22T03:20:00Z" }
  for _, listener in ipairs(self.listeners) do listener(self.fault) end
  return self.fault
end

return M
