--- Controllers as processes, one emulator behind a socket, and a cluster of etcd, for specs in
--- which some of them are killed or stand still; and their history, for spec.etcd.invariants.

local clusters = require "spec.etcd.cluster"
local core = require "alicloud.core"
local posix = require "spec.posix"
local process = require "spec.process"
local scratch = require "spec.scratch"
local tables = require "alicloud.base.tables"
local transport = require "alicloud.transport"

local M = {}

local REGION = "cn-shanghai"

-- Short, so that a takeover takes seconds: what is tried is their order, not their length.
local SHORT = { ttl = 3, send_window = 1, exchange = 2, at_once = 1, patience = 120, seed = 1 }

---@class spec.StageOptions
---@field cluster? spec.ClusterOptions
---@field emulator? string further arguments of `alicloud-dr emulator`
---@field speed? number of the model's clock
---@field world? table of the emulator; each account has one

---@class spec.Stage
---@field cluster spec.Cluster
---@field emulator table
---@field directory string
---@field controllers spec.StagedController[]
---@field accounts table<string, true>
---@field address? string of what stands before the cluster
---@field events table[] of the history: what was done to the stage
local Stage = {}
Stage.__index = Stage

---@class spec.StagedController
---@field who string
---@field pid integer
---@field output file*
---@field code? integer as it has ended
---@field how? "exit"|"signal"
local Controller = {}
Controller.__index = Controller

--- Why there can be none here.
---@return string|nil
function M.missing() return clusters.missing() end

---@param options? spec.StageOptions
---@return spec.Stage
function M.start(options)
  options = options or {}
  local arguments = "--any-key " .. (options.emulator or "")
  if options.world then
    arguments = ("%s --world '%s'"):format(arguments,
      scratch.file(core.encode(options.world), ".json"))
  end
  return setmetatable({
    cluster = clusters.start(options.cluster), directory = scratch.directory(),
    emulator = process.start_emulator { speed = options.speed or 600, arguments = arguments },
    controllers = {}, accounts = {}, events = {},
  }, Stage)
end

local function urls(address)
  local scheme, hosts = address:match "^(%a+://)(.*)$"
  local list = {}
  for host in hosts:gmatch "[^,]+" do list[#list + 1] = scheme .. host end
  return list
end

-- Each machine has a directory of its own for its copies: a controller that begins again is named
-- after the same one, "c1.2".
local function settings_of(stage, who, options)
  local cluster = stage.cluster
  local settings = tables.merged(SHORT, { who = who, prefix = "/alicloud-dr", region = REGION,
    members = urls(stage.address or cluster.address), user = cluster.user,
    password = cluster.password, endpoint = stage.emulator.start.endpoint,
    mirrors = ("%s/mirrors-%s"):format(stage.directory, who:match "^[^.]*"),
    history = ("%s/%s.jsonl"):format(stage.directory, who) })
  return tables.merged(settings, options)
end

--- Starts a controller.
---@param who string
---@param options table of spec.ControllerSettings, those that differ; `environment`: string[]
---@return spec.StagedController
function Stage:controller(who, options)
  local words = { "env", table.unpack(options.environment or {}) }
  options.environment = nil
  local settings = settings_of(self, who, options)
  for _, item in ipairs(settings.items) do self.accounts[item.account] = true end
  table.move({ "lua5.4", "spec/etcd/controller.lua", scratch.file(core.encode(settings), ".json") },
    1, 3, #words + 1, words)
  local pid, output = posix.spawn(words)
  local controller = setmetatable({ who = who, pid = pid, output = output, settings = settings },
    Controller)
  self.controllers[#self.controllers + 1] = controller
  return controller
end

--- Whether it has ended; then `how` and `code` are known.
---@return boolean
function Controller:ended()
  if not self.how then
    self.how, self.code = posix.wait(self.pid, true)
    if self.how then
      self.said = self.output:read "a"
      self.output:close()
    end
  end
  return self.how ~= nil
end

---@param name "KILL"|"STOP"|"CONT"
function Controller:signal(name)
  if not self:ended() then posix.kill(self.pid, name) end
end

--- Whether its history has some text by now.
---@param text string
---@return boolean
function Controller:tells(text)
  local ok, history = pcall(scratch.read, self.settings.history)
  return ok and history:find(text, 1, true) ~= nil
end

--- Whether it stands still.
---@return boolean
function Controller:stands()
  local ok, text = pcall(scratch.read, ("/proc/%d/stat"):format(self.pid))
  return ok and text:match "^%d+ %b() (%a)" == "T"
end

--- Waits until something holds, or for that many seconds.
---@param seconds number
---@param holds fun(): any
---@return boolean
function M.wait(seconds, holds)
  local limit = core.monotonic() + seconds
  while not holds() do
    if core.monotonic() > limit then return false end
    core.poll(nil, "r", 0.01)
  end
  return true
end

--- Waits until they have ended; who has not by then is killed.
---@param seconds number
---@return boolean ok
function Stage:finish(seconds)
  local ok = M.wait(seconds, function()
    for _, controller in ipairs(self.controllers) do
      if not controller:ended() then return false end
    end
    return true
  end)
  for _, controller in ipairs(self.controllers) do controller:signal "KILL" end
  M.wait(5, function()
    for _, controller in ipairs(self.controllers) do
      if not controller:ended() then return false end
    end
    return true
  end)
  return ok
end

local function ask(url, body)
  local client <close> = transport.new {}
  local op = client:submit { method = body and "POST" or "GET", url = url,
    body = body and core.encode(body) }
  while not op:done() do
    core.poll(client:pollfd(), "r", math.min(client:timeout() or 0.2, 0.2))
    client:step()
  end
  return assert(core.decode(op:result().body))
end

local function admin(stage, what, account, body)
  local url = "%s/_emulator/%s?key=%s"
  return ask(url:format(stage.emulator.start.endpoint, what, account), body)
end

--- The effects in the world of an account.
---@param account string
---@return table[]
function Stage:ledger(account) return admin(self, "ledger", account).effects end

--- How many requests of an action have come for an account.
---@param account string
---@param action string
---@return integer
function Stage:requests(account, action)
  local n = 0
  for _, request in ipairs(admin(self, "requests", account).requests) do
    if request.action == action then n = n + 1 end
  end
  return n
end

--- Switches the world of an account.
---@param account string
---@param switches table { hostile = …, assume = … }
function Stage:switch(account, switches) admin(self, "switches", account, switches) end

-- A page of the keys, of whichever member answers.
local function ask_any(cluster, from)
  for i, member in ipairs(cluster.members) do
    if member.pid and not member.stopped then
      local answer = cluster:ask(i, "/v3/kv/range", { key = core.base64(from), limit = "200",
        range_end = core.base64 "0" })
      if answer.status == 200 then return answer end
    end
  end
end

-- All keys of the store. Members may just be electing, and what they say then is no empty store.
local function all_keys(cluster)
  local list, from = {}, "/"
  repeat
    local answer
    assert(M.wait(60, function()
      answer = ask_any(cluster, from)
      return answer
    end), "no member answers")
    local found = assert(core.decode(answer.body, { max_bytes = 8 * 1024 * 1024 }))
    for _, kv in ipairs(found.kvs or {}) do
      list[#list + 1] = { key = core.unbase64(kv.key), value = core.unbase64(kv.value or ""),
        lease = kv.lease ~= "0" and kv.lease or nil }
    end
    from = list[1] and list[#list].key .. "\0"
  until not found.more
  return list
end

local function add_store(stage, history)
  for _, entry in ipairs(all_keys(stage.cluster)) do
    local run, seq = entry.key:match "/runs/([^/]+)/rec/(%d+)$"
    if run then
      history[#history + 1] = { type = "record", run = core.percent_decode(run),
        seq = math.tointeger(tonumber(seq)), text = entry.value }
    elseif entry.key:find("/lock$") or entry.key:find("/locks/", 1, true) then
      history[#history + 1] = { type = "lock", key = entry.key, lease = entry.lease }
    end
  end
end

local function add_words(history, controller)
  for line in scratch.read(controller.settings.history):gmatch "[^\n]+" do
    -- Who was killed may have ended in the middle of a line.
    history[#history + 1] = core.decode(line, { max_bytes = 8 * 1024 * 1024 })
  end
  history[#history + 1] = { type = "ended", who = controller.who, how = controller.how,
    code = controller.code, said = controller.said ~= "" and controller.said or nil }
end

local function add_mirrors(history, directory)
  for _, name in ipairs(core.list_directory(directory) or {}) do
    local run = name:match "^(.*)%.jsonl$"
    if run then
      history[#history + 1] = { type = "mirror", who = directory:match "mirrors%-(.*)$", run = run,
        text = scratch.read(directory .. "/" .. name) }
    end
  end
end

local function add_items(history, controllers)
  local runs = {}
  for _, controller in ipairs(controllers) do
    for _, item in ipairs(controller.settings.items) do
      if not runs[item.run] then
        runs[item.run] = true
        history[#history + 1] = { type = "item", run = item.run, account = item.account,
          group = item.group, region = controller.settings.region }
      end
    end
  end
end

--- What happened, as spec.etcd.invariants takes it.
---@return table[] events
function Stage:history()
  local history, directories = table.move(self.events, 1, #self.events, 1, {}), {}
  add_items(history, self.controllers)
  for _, controller in ipairs(self.controllers) do
    add_words(history, controller)
    directories[controller.settings.mirrors] = true
  end
  for _, directory in ipairs(tables.keys(directories)) do add_mirrors(history, directory) end
  if self.cluster.user then
    M.wait(30, function() return (pcall(self.cluster.ctl, self.cluster, "auth", "disable")) end)
  end
  add_store(self, history)
  for _, account in ipairs(tables.keys(self.accounts)) do
    history[#history + 1] = { type = "ledger", account = account, effects = self:ledger(account) }
  end
  return history
end

--- Notes what was done to it.
---@param event table
function Stage:tell(event)
  event.at = core.boottime()
  self.events[#self.events + 1] = event
end

--- Keeps a history.
---@param history table[]
---@param path string
function M.keep(history, path)
  local lines = {}
  for i, event in ipairs(history) do lines[i] = core.encode(event) end
  scratch.write(path, table.concat(lines, "\n") .. "\n")
end

-- The emulator ends once nobody holds its input: members that were started again do.
function Stage:close()
  self:finish(0)
  self.cluster:close()
  self.emulator:stop()
end

Stage.__close = Stage.close

return M
