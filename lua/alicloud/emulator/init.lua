--- An emulator of the EBS disk replication API: one model, mounted in the process (`emu.transport`)
-- or behind a socket (`alicloud.emulator.server`). It is not the service: what it assumes is
-- listed by `emulator.assumptions()`.

require "alicloud.base.lua_version"
local switches = require "alicloud.emulator.switches"
local clock = require "alicloud.emulator.model.clock"
local demo = require "alicloud.emulator.demo"
local dispatch = require "alicloud.emulator.gateway.dispatch"
local world_schema = require "alicloud.emulator.model.world_schema"
local events = require "alicloud.emulator.model.events"
local faults = require "alicloud.emulator.gateway.faults"
local ids = require "alicloud.emulator.model.ids"
local ledger = require "alicloud.emulator.ledger"
local metadata = require "alicloud.emulator.gateway.metadata"
local nonces = require "alicloud.emulator.gateway.nonces"
local regions = require "alicloud.emulator.model.regions"
local request_log = require "alicloud.emulator.request_log"
local runtime = require "alicloud.emulator.runtime"
local schema = require "alicloud.base.schema"
local dump = require "alicloud.emulator.model.dump"
local sts = require "alicloud.emulator.gateway.sts"
local tables = require "alicloud.base.tables"
local tokens = require "alicloud.emulator.gateway.tokens"
local transport = require "alicloud.emulator.transport"
local world = require "alicloud.emulator.model.world"

local M = {}

-- Public on purpose; no real key looks like this.
local ACCESS_KEY_ID, ACCESS_KEY_SECRET = "emulator", "emulator-secret"

local OPTIONS = {
  world = { type = "table" },
  seed = { type = "integer" },
  clock = { type = "string", values = { "manual", "poll", "scaled", "real" } },
  step = { type = "number", min = 0 },
  speed = { type = "number", min = 0.001 },
  now = { type = "number", min = 0, max = clock.LAST },
  faults = { type = "table" },
  events = { type = "table" },
  skew = { type = "number", min = -86400 * 366, max = 86400 * 366 },
  any_key = { type = "boolean" },
  keys = { type = "table", map = { type = "string" } },
  assume = { type = "table" },
  hostile = { type = "table" },
  messages = { type = "table" },
  auth = { type = "string", values = { "verify", "off" } },
  wire = { type = "boolean" },
  access_key_id = { type = "string", pattern = "%w[%w._-]*", allowed = "letters and digits" },
  access_key_secret = { type = "string", pattern = ".+", allowed = "a non-empty text" },
  ecs_role = { type = "string", pattern = "%w[%w._-]*", allowed = "a role name" },
  imdsv1 = { type = "boolean" },
  oidc_token = { type = "string", pattern = ".+", allowed = "a non-empty text" },
}

---@class alicloud.emulator.Emulator
---@field transport alicloud.ForeignTransport  for `alicloud.client{ transport = … }`
---@field runtime table  for `alicloud.client{ runtime = … }`
---@field access_key_id string
---@field access_key_secret string
---@field auth "verify"|"off"
---@field clock alicloud.emulator.Clock
---@field ids alicloud.emulator.Ids
---@field world alicloud.emulator.World
---@field settings table<string, any>  values of the switches
---@field first_settings table<string, any>  values of the switches at the start and after a reset
---@field description table  of the world at the start; a reset builds the world from it
---@field faults alicloud.emulator.Faults
---@field effects alicloud.emulator.Ledger
---@field request_log alicloud.emulator.RequestLog
---@field tokens alicloud.emulator.Tokens
---@field nonces alicloud.emulator.Nonces
---@field keys table<string, string>  secret by AccessKeyId: the own key, and those of STS sessions
---@field root alicloud.emulator.Emulator  the first emulator, which holds the tenants
---@field sessions alicloud.emulator.Sessions
---@field metadata alicloud.emulator.Metadata
---@field tenants table<string, alicloud.emulator.Emulator>  by AccessKeyId, each with its own world
---@field skew number  seconds that the callers' clocks are behind the model's
---@field quotas table<string, table>  how often each action was called, see `gateway.quotas`
---@field messages table<string, { status: integer, text: string }>  by error code, replace the
--- catalogue's
---@field first_request_at number|nil  model time from which fault rules and events count
---@field generation integer  1 at the start, one more after each reset
local Emulator = {}
local emulator_mt = {
  __name = "alicloud.emulator.Emulator",
  __index = Emulator,
  __tostring = function(self)
    return ("alicloud.emulator.Emulator { groups = %d, clock = %s }"):format(
      #self.world.groups, self.clock.mode)
  end,
}

local function demand(problem, level)
  if problem then error("emulator: " .. problem, level + 1) end
end

local function initial_settings(options)
  local settings, problem = switches.apply(switches.defaults(), options.assume, "assumed")
  if not settings then return nil, problem end
  settings, problem = switches.apply(settings, options.hostile, "hostile")
  if not settings or (options.skew or 0) == 0 then return settings, problem end
  -- A skewed client must be refused, so the machine's own time is not accepted as well.
  return switches.apply(settings, { wall_clock = "refuse" }, "assumed")
end

local function deep_copy(value)
  if type(value) ~= "table" then return value end
  local all = {}
  for key, member in pairs(value) do all[key] = deep_copy(member) end
  return all
end

-- Keeps a private copy of a checked description, so that a reset need not check it again.
local function adopt(self, about, problem)
  if not problem then self.description = deep_copy(about) end
  return problem
end

--- Sets clock, world, fault rules, tokens, nonces, ledger and log to their start. Returns what is
-- wrong with the world, the rules or the events, or nil.
local function begin(self)
  local options, about = self.options, self.description
  self.clock:restart(options.now or tonumber(about.now))
  if options.skew and not self.clock.stands then self.clock:advance(options.skew) end
  self.skew, self.quotas = options.skew or 0, {}
  self.first_request_at, self.ids = nil, ids.new(options.seed or 1)
  self.effects, self.request_log = ledger.new(), request_log.new()
  self.tokens, self.nonces = tokens.new(), nonces.new()
  self.pending, self.faults, self.metadata = {}, faults.new(), metadata.new()
  sts.clear(self)
  self.settings = self.first_settings
  local made, taken = world.rebuild(about, self.clock:now())
  if not made then return taken end
  self.world = made
  for _, work in ipairs(about.later or {}) do dispatch.resume(self, work) end
  local _, problem = self.faults:add(options.faults or {})
  if problem then return problem end
  return events.problem(self, options.events or {})
end

-- A tenant is a separate emulator with the options of the first one and a key of its own.
local function add_tenant(root, key_id, secret)
  local options = tables.copy(root.options)
  options.access_key_id, options.access_key_secret = key_id, secret
  options.keys, options.any_key = nil, nil
  options.world = root.description
  local tenant = M.new(options)
  tenant.root = root
  root.tenants[key_id] = tenant
  return tenant
end

--- Makes an emulator.
---@param options table|nil  world (default: a demo), seed = 1, clock = "manual"|"scaled"|"real",
--- speed = 60, now (unix seconds), faults (list of rules), assume and hostile (switches),
--- messages (status and text by code, in place of the catalogue's),
--- auth = "verify"|"off", access_key_id, access_key_secret; clock = "poll" with step = 5 (seconds
--- per Describe); keys = { id = secret } or any_key = true: more keys, each with a world of its own
--- (with any_key the secret of key "x" is "x-secret"); ecs_role (RAM role of the metadata service;
--- without it the service refuses connections), imdsv1 = true (it answers without a token, too),
--- oidc_token (the only OIDC token that is accepted; nil: any is);
--- events (see `alicloud.emulator.model.events`);
--- skew = seconds that the callers' clocks are behind (negative: ahead)
--- wire = false: `transport` takes the client's requests as values, which is several times faster
--- and proves nothing about signatures, dates, nonces and encodings
---@return alicloud.emulator.Emulator
function M.new(options)
  options = options or {}
  local problem = schema.problem(options, OPTIONS)
  if problem then error("emulator.new: " .. problem, 2) end
  local self = setmetatable({ options = tables.copy(options), generation = 1 }, emulator_mt)
  self.access_key_id = options.access_key_id or ACCESS_KEY_ID
  self.access_key_secret = options.access_key_secret or ACCESS_KEY_SECRET
  self.root, self.tenants = self, { [self.access_key_id] = self }
  self.keys = { [self.access_key_id] = self.access_key_secret }
  self.auth, self.messages = options.auth or "verify", options.messages or {}
  self.clock = clock.new(options.clock or "manual", options.speed or 60, options.now,
    options.step)
  self.first_settings, problem = initial_settings(options)
  -- `description` holds the world from here on.
  self.options.world = nil
  -- `begin` builds the world and finds duplicate ids, so no trial build is needed here.
  local about = options.world or demo
  demand(problem or adopt(self, about, world_schema.problem(about)
    or dispatch.late_problem(about.later)) or begin(self), 2)
  for key_id, secret in pairs(options.keys or {}) do add_tenant(self, key_id, secret) end
  self.transport = transport.new(self, options.wire ~= false)
  self.runtime = runtime.new(self)
  return self
end

--- Checks a description of a world.
---@param about any
---@param now? number unix seconds from which ages count
---@return string|nil problem names the field, what was given and what is allowed; nil: it is sound
function M.world_problem(about, now)
  local _, problem = world.build(about, now or 0)
  return problem or dispatch.late_problem(about.later)
end

--- The switches for behaviour that no public document settles.
---@return alicloud.emulator.Switch[]
function M.assumptions()
  local list = {}
  for _, switch in ipairs(switches.all) do
    if switch.kind == "assumed" then list[#list + 1] = switch end
  end
  return list
end

---@return number  model time, unix seconds
function Emulator:now() return self.clock:now() end

--- Schedules work for a moment of model time.
---@param at number
---@param job fun(at: number)
---@param work alicloud.emulator.Work|nil  the work, for snapshots; nil: they leave it out
function Emulator:later(at, job, work)
  local pending, index = self.pending, #self.pending + 1
  while index > 1 and pending[index - 1].at > at do index = index - 1 end
  table.insert(pending, index, { at = at, job = job, work = work })
end

--- Runs the scheduled work that is due, in order of time, and brings the world to the present.
-- A job may return another delay, and is scheduled again then.
function Emulator:catch_up()
  local pending, now = self.pending, self.clock:now()
  while pending[1] and pending[1].at <= now do
    local item = table.remove(pending, 1)
    self.world:advance_to(item.at)
    local outcome = item.job(item.at)
    if outcome and outcome.at then self:later(outcome.at, outcome.resume, outcome.work) end
  end
  self.world:advance_to(now)
end

--- Called at the first request; the times of fault rules and events count from here.
function Emulator:begin_rehearsal()
  self.first_request_at = self.clock:now()
  events.plan(self, self.options.events or {})
end

--- The emulator that answers to a key: this one, another tenant, or with `any_key` a new one.
---@param key_id string|nil
---@return alicloud.emulator.Emulator
function Emulator:of_key(key_id)
  if not key_id or key_id == self.access_key_id then return self end
  local tenant = self.tenants[key_id]
  if tenant then return tenant end
  -- The key of a forgotten STS session gets no tenant.
  local welcome = self.options.any_key and not key_id:find("^STS%.")
    and key_id:find("^%w[%w._-]*$") and #key_id <= 128
  if not welcome then return self end
  return add_tenant(self, key_id, key_id .. "-secret")
end

--- Sets the condition of a region, or only returns it: "up", "down" (refuses connections),
--- "blackhole" (never answers), "failing" (InternalError), "overloaded" (RequestTimeout, changes
--- are done later), "maintenance" (nothing new is created). While a region is down or a blackhole,
--- replication from and to it is on hold.
---@param id string
---@param condition alicloud.emulator.RegionState|nil  nil: leave it as it is
---@return alicloud.emulator.RegionState condition
function Emulator:region(id, condition)
  local region = self.world.region_by_id[id]
  demand(not region and ("region: the world has no %q"):format(tostring(id)) or nil, 2)
  if condition == nil then return region.state end
  demand(schema.problem({ state = condition },
    { state = { type = "string", values = world_schema.REGION_STATES } }, "region"), 2)
  self:catch_up()
  regions.set(self.world, region, condition, self.clock:now())
  return condition
end

--- Moves model time forward.
---@param seconds number
function Emulator:advance(seconds)
  if not self.clock:can_advance(seconds) then
    error("emulator:advance: seconds must be a number of at least 0 that stays before the year "
      .. "10000", 2)
  end
  self.clock:advance(seconds)
  self:catch_up()
end

--- Adds a fault rule; see `alicloud.emulator.gateway.faults`.
---@param rule table
---@return table rule  as stored; its `fired` counts how often it fired
function Emulator:fault(rule)
  local stored, problem = self.faults:add { rule }
  demand(problem, 2)
  return stored
end

local function switch(self, changes, kind)
  local settings, problem = switches.apply(self.settings, changes, kind)
  demand(problem, 3)
  self.settings = settings
end

--- Switches hostile behaviour; see `alicloud.emulator.switches`.
---@param changes table<string, any>
function Emulator:hostile(changes) switch(self, changes, "hostile") end

--- Switches assumed behaviour.
---@param changes table<string, any>
function Emulator:assume(changes) switch(self, changes, "assumed") end

--- The effects that really happened, oldest first.
---@return alicloud.emulator.Effect[]
function Emulator:ledger()
  self:catch_up()
  return self.effects.list
end

--- The latest requests with their outcomes, oldest first.
---@return alicloud.emulator.RequestEntry[]
function Emulator:requests() return self.request_log:list() end

--- The requests that failed by little, each with the difference: a signature, an id.
---@return alicloud.emulator.NearMiss[]
function Emulator:near_misses() return self.request_log.near_misses end

--- The model's own record of a group, up to date; changing it changes the world.
---@param id string
---@return alicloud.emulator.Group|nil
function Emulator:group(id)
  self:catch_up()
  return self.world.group_by_id[id]
end

--- The model's own record of a pair, up to date; changing it changes the world.
---@param id string
---@return alicloud.emulator.Pair|nil
function Emulator:pair(id)
  self:catch_up()
  return self.world.pair_by_id[id]
end

--- The world as it is now, in the form of option `world` and of world files, with the changes under
--- way and the accepted calls that are not done yet. A request whose client still waits for a
--- delayed answer is not in it.
---@return table description
function Emulator:snapshot()
  self:catch_up()
  return dump.describe(self.world, self.clock:now(), self.pending)
end

--- Starts again from the beginning, with a new world if one is given.
---@param about table|nil  a description, or a snapshot, which it restores
---@return integer|nil generation  counts resets
---@return string|nil problem  of the description; the old world is kept then
function Emulator:reset(about)
  if about then
    local problem = adopt(self, about, M.world_problem(about, self.clock:now()))
    if problem then return nil, problem end
  end
  begin(self)
  self.generation = self.generation + 1
  return self.generation
end

return M
