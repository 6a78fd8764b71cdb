--- Fleets: several controllers together fail over many groups, also in many accounts. Each group is
--- an item of the fleet and a run of its own, with a journal in the shared store. A controller
--- claims an item by taking the lock of its run, so no item is done twice. If a controller dies,
--- others can claim its items when its lease has ended.
---
---     local fleet = assert(dr.fleet {
---       store = "etcd+https://h1:2379,h2:2379", name = "night-shift", playbook = playbook,
---       items = { { account = "100001", group = "pg-orders", region = "cn-shanghai" }, … },
---       client = function(account) return clients[account] end, loop = loop, workers = 50,
---     })
---     local result, err = fleet:run()
---     fleet:close()
---
--- The first controller makes the fleet. Others join it by its name, with the same options or none.

local core = require "alicloud.core"
local divisions = require "alicloud.dr.fleet.division"
local lazy = require "alicloud.base.lazy"
local params = require "alicloud.dr.playbook.params"
local places = require "alicloud.dr.store.place"
local playbooks = require "alicloud.dr.playbook"
local rosters = require "alicloud.dr.fleet.roster"
local run_options = require "alicloud.dr.playbook.run_options"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"
local sessions = require "alicloud.dr.store.session"
local stores = require "alicloud.dr.store"
local tables = require "alicloud.base.tables"

---@module "alicloud.dr.fleet.control"
local control = lazy.module "alicloud.dr.fleet.control"
---@module "alicloud.dr.report.fleet"
local reports = lazy.module "alicloud.dr.report.fleet"
---@module "alicloud.dr.fleet.taker"
local takers = lazy.module "alicloud.dr.fleet.taker"

local M = {}

---@class alicloud.dr.FleetOptions
---@field name string name of the fleet
---@field store? string address of the store, without a run; or
---@field keys? alicloud.dr.Keys store with transactions and sessions, which stays open
---@field loop alicloud.loop.Loop loop of the clients
---@field runtime? alicloud.Runtime
---@field prefix? string begins every key, if `keys` is given ("/alicloud-dr")
---@field playbook? alicloud.dr.Playbook playbook of one group; needed to run and to begin
---@field items? alicloud.dr.FleetItem[] begins the fleet; nil: joins it
---@field words? table what was asked for, to compare with how the fleet was begun; nil: the items
---@field params? table<string, any> parameters of every item, without group and region
---@field canary? integer|string[] items that must be done without failure before the others (1)
---@field max_errors? integer|string failures at which nothing more is begun ("5%")
---@field tier? string|string[] order of groups: "1:db-*,2:app-*"
---@field client? fun(account: string): alicloud.Client|nil needed to run; called once per account;
---if it returns nil this process takes no item of that account
---@field workers? integer items at a time (50)
---@field run_options? table more options of dr.run, for every item
---@field requester? string the person who asks for the runs
---@field ttl? integer seconds after which the session of this process ends if it is not renewed
---@field progress? fun(event: table, item: alicloud.dr.FleetItem?, run_id: string?) takes every
---record of every run, and an event "item" for each item that has ended
---@field headway? number seconds between two events "headway" for `progress`, which say how far the
---fleet is, see alicloud.dr.HeadwayEvent (nil: none)

---@class alicloud.dr.FleetWish
---@field playbook alicloud.dr.Playbook
---@field items alicloud.dr.FleetItem[]
---@field settings alicloud.dr.FleetSettings
---@field params table<string, any>
---@field words string

---@class alicloud.dr.FleetResult
---@field count integer items of the fleet
---@field left integer items that have not ended
---@field done integer
---@field failed integer
---@field left_out integer items that were not ready
---@field ran integer items that ended in this process

---@class alicloud.dr.Fleet
---@field name string
---@field who string this process in words, for other controllers
---@field keys alicloud.dr.Keys
---@field loop alicloud.loop.Loop
---@field runtime alicloud.Runtime
---@field prefix string
---@field meta alicloud.dr.FleetMeta
---@field items alicloud.dr.FleetItem[]
---@field workers integer
---@field session alicloud.dr.Session?
local Fleet = {}
Fleet.__index = Fleet

local PARAMS = {
  { name = "canary", type = "count_or_ids", default = 1, help = "so many, or those, first" },
  { name = "max_errors", type = "share", default = "5%", help = "failures at which it stops" },
  { name = "tier", type = "tiers", help = "who moves before whom" },
}

local SCHEMA = {
  name = rosters.NAME, keys = schema.typed "table", loop = schema.typed "table",
  runtime = schema.typed "table", prefix = schema.text, store = schema.text,
  playbook = schema.rule("what dr.playbook returns", playbooks.is),
  items = schema.typed "table", words = schema.typed "table", params = schema.typed "table",
  canary = schema.rule("a number, or groups", function() return true end),
  max_errors = schema.rule("a number, or a part", function() return true end),
  tier = schema.rule("tiers", function() return true end),
  client = schema.callable, workers = schema.integer(1, 10000), run_options = schema.typed "table",
  requester = schema.text, ttl = schema.integer(2, 3600), progress = schema.callable,
  headway = run_options.SECONDS,
}

local function refuse(message, level)
  error("dr.fleet: " .. message, level + 1)
end

local function settings_of(given, level)
  local asked = {}
  for _, param in ipairs(PARAMS) do asked[param.name] = given[param.name] end
  local settings, message = params.read(PARAMS, asked)
  if not settings then refuse(message, level + 1) end
  return settings
end

-- Refuses parameters that the run of an item would refuse, before the fleet is made.
local function check_params(given, level)
  local item = given.items[1]
  local _, message = params.read(given.playbook.params, tables.merged(given.params,
    { group = item.group, region = item.region }, item.params))
  if message then refuse(message, level + 1) end
end

local function words_of(given)
  local asked = { playbook = given.playbook.name, params = params.written(given.params),
    words = given.words or nil, items = not given.words and given.items or nil }
  for _, param in ipairs(PARAMS) do asked[param.name] = given[param.name] end
  return core.encode(asked)
end

local function wish_of(given, level)
  if not given.items then return nil end
  if not given.playbook then refuse("option playbook is required to begin a fleet", level + 1) end
  local message = divisions.fault(given.items)
  if message then refuse(message, level + 1) end
  local settings = settings_of(given, level + 1)
  message = divisions.canary_fault(given.items, settings)
    or divisions.tier_fault(given.items, settings)
  if message then refuse(message, level + 1) end
  check_params(given, level + 1)
  return { playbook = given.playbook, items = given.items, settings = settings,
    params = params.written(given.params) or {}, words = words_of(given) }
end

local function who()
  local process = core.process()
  return ("pid %d on %s"):format(process.pid, process.host)
end

-- Every controller must have the same playbook.
local function playbook_fault(fleet)
  local playbook, meta = fleet.playbook, fleet.meta
  if not playbook or playbook.name == meta.playbook and playbook.digest == meta.digest then
    return nil
  end
  return rosters.failure(fleet, "Client.RunChanged",
    playbook.name == meta.playbook and "the playbook is another text than it was begun with"
      or ("it is of playbook %q, not of %q"):format(meta.playbook, playbook.name),
    "give every controller the playbook that the fleet was begun with")
end

local function check(options, level)
  local given = schema.check("dr.fleet", options, SCHEMA, level + 1)
  for _, name in ipairs { "name", "loop" } do
    if not given[name] then refuse(("option %s is required"):format(name), level + 1) end
  end
  if (given.keys == nil) == (given.store == nil) then
    refuse("give either option store, an address, or option keys", level + 1)
  end
  if given.keys and not (given.keys.txn and given.keys.session) then
    refuse("option keys: got a store without transactions or sessions; allowed: one with them",
      level + 1)
  end
  return given
end

-- Connects to the store; one that is opened here by its address is closed with the fleet.
local function connect(fleet)
  if not fleet.store then
    fleet.prefix, fleet.address = fleet.prefix or "/alicloud-dr", fleet.keys.name
    return true
  end
  local keys, address = stores.keys(fleet.store, { runtime = fleet.runtime, loop = fleet.loop })
  if not keys then return nil, address end
  fleet.keys, fleet.owns_keys = keys, true
  fleet.prefix, fleet.address, fleet.place = address.prefix, address.store, address
  return true
end

local function join(fleet, wish)
  local ok, err = rosters.open(fleet, wish)
  err = not ok and err or playbook_fault(fleet)
  if not err then return fleet end
  fleet:close()
  return nil, err
end

--- Makes a fleet if `items` are given and it does not exist, else joins it.
---@param options alicloud.dr.FleetOptions
---@return alicloud.dr.Fleet|nil
---@return alicloud.Error? err
function M.open(options)
  local given = check(options, 2)
  local wish = wish_of(given, 2)
  local fleet = setmetatable(given, Fleet)
  fleet.runtime = given.runtime or runtimes.new()
  fleet.workers, fleet.who, fleet.clients = given.workers or 50, who(), {}
  local ok, err = connect(fleet)
  if not ok then return nil, err end
  return join(fleet, wish)
end

--- The path of this machine's copy of a journal.
---@param run string
---@return string|nil path nil: there is no copy
function Fleet:mirror(run)
  if not self.place then return nil end
  local address = tables.merged(self.place, { run = run })
  return places.mirror(address, self.runtime.getenv)
end

--- The address of an item's journal.
---@param item alicloud.dr.FleetItem
---@return string
function Fleet:journal(item)
  return self.address .. "#" .. rosters.run_of(self, item)
end

--- The client of an account.
---@param account string
---@return alicloud.Client|false client false: this process takes no item of that account
function Fleet:client_of(account)
  local client = self.clients[account]
  if client == nil then
    client = self.client(account) or false
    self.clients[account] = client
  end
  return client
end

--- Passes an event to `progress`.
---@param event table
function Fleet:tell(event)
  if self.progress then self.progress(event, event.item) end
end

local function begin_session(fleet)
  if fleet.session and not fleet.session:lost() then return true end
  local err
  fleet.session, err = sessions.open(fleet.keys, { loop = fleet.loop, runtime = fleet.runtime,
    ttl = fleet.ttl })
  return fleet.session ~= nil, err
end

--- Takes items until all have ended or the fleet is stopped: by a person, by a canary that fails,
--- or by too many failures. Several controllers may do so at the same time.
---@return alicloud.dr.FleetResult|nil
---@return alicloud.Error? err code "Client.FleetHeld" if it is on hold
function Fleet:run()
  if not self.playbook or not self.client then
    error("fleet:run: the options playbook and client are required", 2)
  end
  local ok, err = begin_session(self)
  if not ok then return nil, err end
  return takers.run(self)
end

--- Puts the fleet on hold: no controller begins another item; items under way go on to their end.
---@param why string
---@param by? string
---@return boolean|nil ok
---@return alicloud.Error? err
function Fleet:hold(why, by)
  return control.hold(self, why, by)
end

--- Releases a fleet from hold; failures are counted from 0 again.
---@return boolean|nil was_held
---@return alicloud.Error? err
function Fleet:release()
  return control.release(self)
end

--- Opens items again that have failed or were left out.
---@param which string a group, ACCOUNT/GROUP, or "all"
---@return string[]|nil names
---@return alicloud.Error? err
function Fleet:again(which)
  return control.again(self, which)
end

--- The state of the fleet. Reads only.
---@return alicloud.dr.FleetStatus|nil
---@return alicloud.Error? err
function Fleet:status()
  return control.status(self)
end

--- One report on all items.
---@param format "json"|"md"|"html"
---@return string|nil text
---@return alicloud.Error? err
function Fleet:report(format)
  local rule = schema.choice(table.unpack(reports.FORMATS))
  if not rule.test(format) then
    error(("fleet:report: format: got %s; allowed: %s"):format(schema.show(format), rule.allowed),
      2)
  end
  local status, err = control.status(self)
  if not status then return nil, err end
  return reports.render(status, format)
end

--- Ends the session of this process, and closes the store if it was opened here.
function Fleet:close()
  if self.session then self.session:close() end
  self.session = nil
  if self.owns_keys then self.keys:close() end
end

return M
