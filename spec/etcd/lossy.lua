--- A proxy between a client and the members of a cluster that loses, delays and cuts, in a process
--- of its own. It decides for each request; the seed gives the same decisions for the same order of
--- requests. Plain HTTP only.

local child = require "spec.child"
local core = require "alicloud.core"
local posix = require "spec.posix"
local scratch = require "spec.scratch"
local server_module = require "spec.server"
local socket = require "socket"

local M = {}

---@alias spec.LossyVerdict
---| "pass"
---| "swallow"  delivered, and the connection is reset instead of the answer
---| "mute"     delivered, and never answered
---| "cut"      delivered, and the connection closed in the middle of the answer
---| "refuse"   reset before anything is delivered
---| "lose"     not delivered, never answered
---| "late"     delivered after `lateness` seconds or when `deliver` says so, also when nobody waits
---any more; in the log "delivered" follows

---@class spec.LossyOptions
---@field rates? table<spec.LossyVerdict, number>  how often, from 0 to 1; the rest passes
---@field seed? integer
---@field choose? fun(n: integer, path: string, body: string, member: integer): spec.LossyVerdict
---of the n-th request, instead of rates; it runs in the proxy's process
---@field lateness? number  seconds; 0.5 unless given

---@class spec.Lossy
---@field address string  as that of the cluster, the members in the same order
local Lossy = {}
Lossy.__index = Lossy

-- One more piece of an answer; false once the member has closed.
local function pull(answer)
  local bytes, reason, partial = answer.upstream:receive(65536)
  answer.text = answer.text .. (bytes or partial or "")
  return bytes ~= nil or (partial or "") ~= "" or reason ~= "closed"
end

-- Where the chunked body that begins at `from` ends, or nil as long as it does not.
local function end_of_chunks(text, from)
  while true do
    local _, size_end, size = text:find("^(%x+)[^\r]*\r\n", from)
    if not size_end then return nil end
    local length = tonumber(size, 16)
    if length == 0 then return (select(2, text:find("\r\n", size_end + 1, true))) end
    from = size_end + length + 3
  end
end

-- Where an answer ends, or nil as long as it does not.
local function end_of_answer(text)
  local _, head_end = text:find("\r\n\r\n", 1, true)
  if not head_end then return nil end
  local head = text:sub(1, head_end):lower()
  if head:find "\r\ntransfer%-encoding: *chunked" then return end_of_chunks(text, head_end + 1) end
  local length = tonumber(head:match "\r\ncontent%-length: *(%d+)") or 0
  return head_end + length <= #text and head_end + length or nil
end

-- The whole answer to one request, or nil if the member gives none.
local function forward(connection, port, request)
  local upstream = connection.upstream
  if not upstream then
    upstream = assert(socket.tcp())
    upstream:settimeout(2)
    if not upstream:connect("127.0.0.1", port) then return nil end
    upstream:settimeout(0)
    upstream:setoption("tcp-nodelay", true)
    connection.upstream = upstream
  end
  local sent = 0
  while sent < #request do
    local last, reason, partial = upstream:send(request, sent + 1)
    sent = last or partial
    if reason == "closed" then return nil end
    if sent < #request then connection:pause() end
  end
  local answer = { upstream = upstream, text = "" }
  while not end_of_answer(answer.text) do
    if not pull(answer) then return nil end
    if not end_of_answer(answer.text) then connection:pause() end
  end
  return answer.text
end

local function exists(path)
  local file = io.open(path)
  return file and file:close()
end

local function wait(connection, shared)
  local limit = core.monotonic() + shared.lateness
  while core.monotonic() < limit and not exists(shared.delivery) do connection:pause() end
end

-- What becomes of one request. True if the connection can take another.
local function treat(connection, port, request, verdict, shared)
  if verdict == "refuse" then return connection:rst() end
  if verdict == "lose" then return connection:hang() end
  if verdict == "late" then wait(connection, shared) end
  local answer = forward(connection, port, request)
  if verdict == "late" then shared.note(connection, "delivered") end
  if verdict == "mute" then return connection:hang() end
  if verdict == "swallow" or not answer then return connection:rst() end
  if verdict == "cut" then
    connection:send(answer:sub(1, #answer // 2))
    return connection:fin()
  end
  return connection:send(answer)
end

-- Draws what happens to each request.
local function drawn(rates)
  local names = {}
  for name in pairs(rates) do names[#names + 1] = name end
  table.sort(names)
  return function()
    local x = math.random()
    for _, name in ipairs(names) do
      if x < rates[name] then return name end
      x = x - rates[name]
    end
    return "pass"
  end
end

local function behaviour(shared, member, port)
  return function(connection)
    while true do
      local head, body = connection:read_request()
      if not head then break end
      shared.n = shared.n + 1
      local path = head:match "^%u+ (%S+)"
      local verdict = exists(shared.calm) and "pass"
        or shared.choose(shared.n, path, body, member)
      connection.request = { n = shared.n, member = member, path = path }
      shared.note(connection, verdict)
      if not treat(connection, port, head .. body, verdict, shared) then break end
    end
    if connection.upstream then connection.upstream:close() end
    if not connection.closed then connection:finish("peer") end
  end
end

-- Writes down what has become of a request.
local function notes(path)
  local log = assert(io.open(path, "a"))
  log:setvbuf "line"
  return function(connection, what)
    local request = connection.request
    log:write(("%d %d %s %s\n"):format(request.n, request.member, what, request.path))
  end
end

-- Lets all servers do what they can, and waits until one of them has something to read.
local function step(servers)
  local readable = {}
  for _, server in ipairs(servers) do
    server:step()
    readable[#readable + 1] = server.listener
    local open = {}
    for _, connection in ipairs(server.connections) do
      if not connection.closed then
        open[#open + 1] = connection
        readable[#readable + 1] = connection.socket
        readable[#readable + 1] = connection.upstream
      end
    end
    server.connections = open
  end
  socket.select(readable, nil, 0.02)
end

--- What has become of each request, in the order in which they came.
---@return { n: integer, member: integer, verdict: spec.LossyVerdict, path: string }[]
function Lossy:log()
  local list = {}
  for n, member, verdict, path in scratch.read(self.log_file):gmatch "(%d+) (%d+) (%S+) (%S+)\n" do
    list[#list + 1] = { n = math.tointeger(tonumber(n)), verdict = verdict, path = path,
      member = math.tointeger(tonumber(member)) }
  end
  return list
end

--- How many requests have met with a verdict.
---@param verdict spec.LossyVerdict
---@param path? string  only those to it
---@return integer
function Lossy:count(verdict, path)
  local n = 0
  for _, entry in ipairs(self:log()) do
    if entry.verdict == verdict and (not path or entry.path == path) then n = n + 1 end
  end
  return n
end

--- From now on everything passes, or no longer.
---@param calm boolean
function Lossy:be_calm(calm)
  if calm then scratch.write(self.calm, "") else os.remove(self.calm) end
end

--- What is late is delivered now, and from now on at once.
function Lossy:deliver() scratch.write(self.delivery, "") end

function Lossy:close()
  if not self.pid then return end
  posix.kill(self.pid, "KILL")
  posix.wait(self.pid)
  self.pid = nil
end

Lossy.__close = Lossy.close

--- Starts a proxy before the members of an address.
---@param address string  "http://127.0.0.1:p1,127.0.0.1:p2"
---@param options? spec.LossyOptions
---@return spec.Lossy
function M.start(address, options)
  options = options or {}
  local self = setmetatable({ log_file = scratch.file "", calm = scratch.path(),
    delivery = scratch.path() }, Lossy)
  local shared = { n = 0, calm = self.calm, delivery = self.delivery,
    lateness = options.lateness or 0.5, choose = options.choose or drawn(options.rates or {}) }
  local servers, hosts = {}, {}
  for port in address:gmatch ":(%d+)" do
    local member = #servers + 1
    servers[member] = server_module.new(behaviour(shared, member, math.tointeger(tonumber(port))))
    hosts[member] = "127.0.0.1:" .. servers[member].port
  end
  self.address = "http://" .. table.concat(hosts, ",")
  self.pid = child.start(function()
    shared.note = notes(self.log_file)
    math.randomseed(options.seed or 1)
    while true do step(servers) end
  end)
  for _, server in ipairs(servers) do server:close() end
  return self
end

return M
