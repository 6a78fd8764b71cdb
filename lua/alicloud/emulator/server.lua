--- The HTTP mount: the model behind a socket, on libmicrohttpd.

require "alicloud.base.lua_version"
local core = require "alicloud.core"
local admin = require "alicloud.emulator.admin"
local errors = require "alicloud.base.error"
local gateway = require "alicloud.emulator.gateway"
local guard = require "alicloud.base.guard"
local ports = require "alicloud.emulator.ports"
local schema = require "alicloud.base.schema"

local M = {}

local OPTIONS = {
  host = { type = "string", pattern = "[%w.]+", allowed = "an IPv4 address or localhost" },
  port = { type = "integer", min = 0, max = 65535 },
  max_body = { type = "integer", min = 1 },
  region_ports = { type = "boolean" },
}

-- An answer may bring another request on the same connection; `step` ends after so many rounds.
local ROUNDS = 64
local POLL_INTERVAL = 0.01
-- Requests to a blackhole region stay open without an answer. Beyond this many, the oldest is
-- closed.
local SILENT_LIMIT = 256

---@class alicloud.emulator.Server
---@field url string  as "http://127.0.0.1:40123"
---@field port integer
---@field endpoints table<string, string>|nil  URL by region; nil without `region_ports`
local Server = {}
local server_mt = { __name = "alicloud.emulator.Server", __index = Server }

local function load_httpd()
  local ok, httpd = pcall(require, "alicloud.httpd")
  if tostring(httpd):find "is of the build" then return nil, httpd end
  if ok then return httpd end
  local missing = tostring(httpd):match "libmicrohttpd[^\n]*"
  if missing then
    return nil, ("the emulator's socket needs libmicrohttpd, which cannot be loaded: install it "
      .. "(Debian 12: libmicrohttpd12, Debian 13: libmicrohttpd12t64, elsewhere: libmicrohttpd); "
      .. "the system says: %s"):format(missing)
  end
  return nil, "the emulator's socket needs alicloud.httpd, which is not built: install "
    .. "libmicrohttpd with its headers (Debian and Alpine: libmicrohttpd-dev, Fedora: "
    .. "libmicrohttpd-devel, Homebrew: libmicrohttpd) and build again"
end

--- Puts an emulator behind a socket, or with `region_ports` behind one more for each region.
-- Nothing runs until `step` is called.
---@param emu alicloud.emulator.Emulator
---@param options table|nil  host = "127.0.0.1", port = 0 (any free one), max_body = bytes,
--- region_ports = false
---@return alicloud.emulator.Server|nil
---@return string|nil problem
function M.start(emu, options)
  options = options or {}
  local problem = schema.problem(options, OPTIONS)
  if problem then error("server.start: " .. problem, 2) end
  local httpd
  httpd, problem = load_httpd()
  if not httpd then return nil, problem end
  local sockets
  sockets, problem = ports.open(httpd, options, emu.world)
  if not sockets then return nil, problem end
  local self = setmetatable({ emu = emu, ports = sockets, host = sockets.host, held = {},
    silent = {}, port = sockets.fronts[1].port, endpoints = sockets:endpoints() }, server_mt)
  self.url = ports.url(self.host, self.port)
  self.serve = function(request, region) return self:answer(request, region) end
  return self
end

local function keep_silent(self, request)
  local silent = self.silent
  silent[#silent + 1] = request
  if #silent > SILENT_LIMIT then table.remove(silent, 1):drop() end
end

local function finish(self, request, outcome)
  if outcome.at then
    self.held[#self.held + 1] = { request = request, outcome = outcome }
  elseif outcome.silent then
    keep_silent(self, request)
  elseif outcome.drop or outcome.refused then
    request:drop()
  else
    local answer = outcome.answer
    request:respond(answer.status, answer.headers, answer.body)
  end
end

local function handle(self, request, region)
  if request.path:sub(1, #admin.PREFIX) == admin.PREFIX then
    return finish(self, request, { answer = admin.handle(self.emu, request, self) })
  end
  finish(self, request, gateway.handle(self.emu, {
    method = request.method, path = request.path, query = request.query,
    headers = request.headers, body = request.body, mount = "http", region = region,
  }))
end

-- A defect of the emulator answers its request with 500; the server goes on serving the others.
local function guarded(request, work, ...)
  local ok, raised = guard.call(work, ...)
  if ok then return end
  guard.call(request.respond, request, 500, {
    ["content-type"] = "application/json;charset=utf-8", ["x-emulator"] = "alicloud-dr",
  }, core.encode { Code = "InternalError", RequestId = core.random_hex(16),
    Message = "a defect of the emulator: " .. errors.text_of(raised):gsub("[^\x20-\x7e]", "?") })
end

--- Answers one request.
---@param request table  of alicloud.httpd
---@param region string|nil  region of the port that it came to; nil: the port for every region
function Server:answer(request, region)
  guarded(request, handle, self, request, region)
end

local function resume(self, item)
  finish(self, item.request, item.outcome.resume(item.outcome.at))
end

-- Returns how many delayed requests were answered.
local function answer_held(self)
  local held, now = self.held, self.emu:now()
  if #held == 0 then return 0 end
  self.held = {}
  for _, item in ipairs(held) do
    if item.outcome.at <= now then
      guarded(item.request, resume, self, item)
    else
      self.held[#self.held + 1] = item
    end
  end
  return #held - #self.held
end

local function earlier(a, b) return a and b and math.min(a, b) or a or b end

--- Seconds until `step` must run though nothing was readable; nil when only the socket matters.
---@return number|nil
function Server:timeout()
  local wait = self.ports:timeout()
  for _, item in ipairs(self.held) do
    wait = earlier(wait, self.emu.clock:machine_seconds(item.outcome.at - self.emu:now()))
  end
  return wait
end

--- The descriptor to poll for reading; nil where the system has none, then call `step` often.
---@return integer|nil
function Server:pollfd() return self.ports:pollfd() end

---@return string
function Server:events() return "r" end

--- Serves the requests that have arrived, after waiting for one at most `timeout`.
---@param timeout number|nil  machine seconds, default 0
function Server:step(timeout)
  local wait = earlier(timeout or 0, self:timeout())
  self.ports:follow(self.emu.world)
  if wait > 0 then self.ports:wait(wait) end
  -- Scheduled work has no request to which a defect could be reported, so errors are dropped.
  guard.call(self.emu.catch_up, self.emu)
  for _ = 1, ROUNDS do
    self.ports:follow(self.emu.world)
    local taken = self.ports:step(self.serve)
    -- Answers of this round are sent in the next one.
    if answer_held(self) + taken == 0 then break end
  end
end

--- A loop for a client in the same process: whenever the client waits, the server works.
-- A sleeping client moves a manual clock, as it does with the in-process mount.
---@return table loop  { wait, sleep, now } of `alicloud.client{ loop = … }`
function Server:loop()
  local function sleep(seconds)
    if self.emu.clock.stands then return self.emu:advance(seconds) end
    local wake = core.monotonic() + seconds
    while core.monotonic() < wake do self:step(wake - core.monotonic()) end
  end
  local function wait(pollable, deadline)
    self:step(0)
    local longest = math.min(POLL_INTERVAL, pollable:timeout() or POLL_INTERVAL,
      math.max(0, deadline - core.monotonic()))
    core.poll(pollable:pollfd(), pollable:events(), longest)
  end
  return { now = core.monotonic, sleep = sleep, wait = wait }
end

--- Closes the socket; requests without an answer lose their connection.
function Server:close()
  self.held, self.silent = {}, {}
  self.ports:close()
end

server_mt.__close = Server.close

return M
