--- The sockets of the HTTP mount: one that serves every region, and with `region_ports` one more
-- for each region, so that a region can be down while the others are up.

local core = require "alicloud.core"

local M = {}

-- Seconds between two tries to read, on systems without a descriptor to poll.
local POLL_INTERVAL = 0.01

---@class alicloud.emulator.Front
---@field listener alicloud.httpd.Server|nil  nil while its region is down
---@field region string|nil  nil: serves every region
---@field port integer

---@class alicloud.emulator.Ports
---@field fronts alicloud.emulator.Front[]  the first serves every region
---@field host string
local Ports = {}
local ports_mt = { __name = "alicloud.emulator.Ports", __index = Ports }

local function listen(self, port)
  return self.httpd.start { host = self.host, port = port, max_body = self.max_body }
end

local function open_front(self, region, port)
  local listener, problem = listen(self, port)
  if not listener then return nil, problem end
  local front = { listener = listener, region = region, port = listener:port() }
  self.fronts[#self.fronts + 1] = front
  return front
end

--- Opens the sockets.
---@param httpd table  alicloud.httpd
---@param options table  { host, port, max_body, region_ports }
---@param world alicloud.emulator.World
---@return alicloud.emulator.Ports|nil ports
---@return string|nil problem
function M.open(httpd, options, world)
  local self = setmetatable({ httpd = httpd, host = options.host or "127.0.0.1",
    max_body = options.max_body, fronts = {} }, ports_mt)
  local front, problem = open_front(self, nil, options.port)
  if not front then return nil, problem end
  for _, region in ipairs(options.region_ports and world.regions or {}) do
    front, problem = open_front(self, region.id, 0)
    if not front then
      self:close()
      return nil, problem
    end
  end
  return self
end

--- Closes the ports of regions that are down, and opens those that are up again.
---@param world alicloud.emulator.World
function Ports:follow(world)
  for _, front in ipairs(self.fronts) do
    local region = front.region and world.region_by_id[front.region]
    local down = region and region.state == "down"
    if down and front.listener then
      front.listener:close()
      front.listener = nil
    elseif not down and not front.listener then
      -- Another program may have taken the port; the next call tries again.
      front.listener = listen(self, front.port)
    end
  end
end

local function listeners(self)
  local list = {}
  for _, front in ipairs(self.fronts) do list[#list + 1] = front.listener end
  return list
end

--- Waits until a socket has work.
---@param seconds number  machine seconds
function Ports:wait(seconds)
  local list = listeners(self)
  local fd = list[1]:pollfd()
  if not fd then
    core.poll(nil, "r", math.min(seconds, POLL_INTERVAL))
  elseif #list == 1 then
    core.poll(fd, "r", seconds)
  else
    self.httpd.wait(list, math.min(seconds, 3600))
  end
end

--- The descriptor to poll; nil where there are several, or the system has none.
---@return integer|nil
function Ports:pollfd() return #self.fronts == 1 and self.fronts[1].listener:pollfd() or nil end

--- Seconds until `step` must run; nil when only the sockets matter.
---@return number|nil
function Ports:timeout()
  local least
  for _, front in ipairs(self.fronts) do
    local wait = front.listener and front.listener:timeout()
    if wait and (not least or wait < least) then least = wait end
  end
  return least
end

--- Passes the requests that have arrived to `serve`.
---@param serve fun(request: table, region: string|nil)
---@return integer count  of requests
function Ports:step(serve)
  local count = 0
  for _, front in ipairs(self.fronts) do
    for _, request in ipairs(front.listener and front.listener:step() or {}) do
      count = count + 1
      serve(request, front.region)
    end
  end
  return count
end

--- The URL of each region's own port, in the form of a client's option `endpoint`.
---@return table<string, string>|nil  by region; nil without `region_ports`
function Ports:endpoints()
  if #self.fronts == 1 then return nil end
  local all = {}
  for _, front in ipairs(self.fronts) do
    if front.region then all[front.region] = M.url(self.host, front.port) end
  end
  return all
end

--- Closes every socket.
function Ports:close()
  for _, front in ipairs(self.fronts) do
    if front.listener then front.listener:close() end
    front.listener = nil
  end
end

--- The address of a port, for a client on this machine.
---@param host string
---@param port integer
---@return string
function M.url(host, port)
  return ("http://%s:%d"):format(host == "0.0.0.0" and "127.0.0.1" or host, port)
end

return M
