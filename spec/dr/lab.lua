--- A laboratory for one failover: an emulator on its virtual clock, a client on it, and the ledger.

local assert = require "luassert"

local alicloud = require "alicloud"
local dr = require "alicloud.dr"
local emulator = require "alicloud.emulator"

local M = {}

M.PRIMARY, M.SECONDARY = "cn-hangzhou", "cn-shanghai"
M.ID = "pg-orders"

--- A world with one group that may be failed over.
---@param changes? table fields of the group
---@return table
function M.world(changes)
  local group = {
    id = M.ID, name = "orders", pairs = 3, status = "normal", recover_point_age = 432,
    source = "cn-hangzhou/cn-hangzhou-g", destination = "cn-shanghai/cn-shanghai-b",
    failover_seconds = 52,
  }
  for name, value in pairs(changes or {}) do group[name] = value end
  return { regions = { M.PRIMARY, M.SECONDARY }, groups = { group } }
end

---@class spec.dr.Lab
---@field emu alicloud.emulator.Emulator
---@field client alicloud.Client
---@field events table[] what `progress` was told
---@field short_pairs? integer how many pairs are missing from the list, see `cut_pair_lists`
local Lab = {}
Lab.__index = Lab

--- Makes a laboratory.
---@param given? table `group` (fields of the one group) or `world`; else as emulator.new
---@return spec.dr.Lab
function M.new(given)
  given = given or {}
  local emu = emulator.new {
    world = given.world or M.world(given.group), seed = given.seed or 1,
    faults = given.faults or {}, hostile = given.hostile, assume = given.assume,
    auth = given.auth, wire = given.wire, events = given.events, skew = given.skew,
  }
  local lab = setmetatable({ emu = emu, events = {} }, Lab)
  lab.client = alicloud.client {
    region = M.SECONDARY, transport = emu.transport, runtime = emu.runtime,
    access_key_id = emu.access_key_id, access_key_secret = emu.access_key_secret,
  }
  return lab
end

---@param id? string
---@param region? string
---@return alicloud.dr.Group
function Lab:group(id, region)
  return dr.group(self.client, id or M.ID, { region = region or M.SECONDARY })
end

--- Runs a method of the group and remembers its events. `options.on` maps an event name to a
--- function that is called at its first occurrence: another operator, a change of the world.
---@param verb string
---@param options? table as for the method, and `on`, `at` (the region), `id` (the group)
---@return table|nil result
---@return table|nil err
function Lab:run(verb, options)
  local given, on = {}, {}
  for name, value in pairs(options or {}) do given[name] = value end
  for name, act in pairs(given.on or {}) do on[name] = act end
  local group = self:group(given.id, given.at)
  given.on, given.at, given.id = nil, nil, nil
  given.progress = function(event)
    self.events[#self.events + 1] = event
    local act = on[event.event]
    on[event.event] = nil
    if act then act(event) end
  end
  return group[verb](group, given)
end

--- Runs a failover as `run` does.
---@param options? table
---@return table|nil result
---@return table|nil err
function Lab:failover(options)
  return self:run("failover", options)
end

--- The requests of an action, or all.
---@param action? string
---@return table[]
function Lab:requests(action)
  local list = {}
  for _, request in ipairs(self.emu:requests()) do
    if not action or request.action == action then list[#list + 1] = request end
  end
  return list
end

--- The calls that ask for a failover.
---@return table[]
function Lab:sends()
  return self:requests "FailoverDiskReplicaGroup"
end

--- The effects that really happened.
---@return table[]
function Lab:ledger()
  return self.emu:ledger()
end

---@param name string
---@return table|nil first event of that name
function Lab:event(name)
  for _, event in ipairs(self.events) do
    if event.event == name then return event end
  end
  return nil
end

local function set_all(group, status)
  group.transition, group.status = nil, status
  for _, pair in ipairs(group.pairs) do pair.status = status end
end

--- Somebody else puts the group and its pairs into a state.
---@param status string
function Lab:put(status)
  set_all(self.emu:group(M.ID), status)
end

--- Somebody else has reversed the replication: the sides have changed places.
---@param status? string
function Lab:reverse(status)
  local group = self.emu:group(M.ID)
  group.source, group.destination = group.destination, group.source
  set_all(group, status or "stopped")
end

--- Somebody else takes the last pair out of the group.
function Lab:remove_pair()
  table.remove(self.emu:group(M.ID).pairs).group_id = nil
end

--- Lets the pair list be cut alone, by `short_pairs` pairs; the emulator cuts every list alike.
function Lab:cut_pair_lists()
  local send = self.emu.transport.send
  self.short_pairs = 0
  self.client = self.client:with { transport = { send = function(request)
    local is_pairs = request.action == "DescribeDiskReplicaPairs"
    if not is_pairs or self.short_pairs == 0 then return send(request) end
    self.emu:hostile { short_list = self.short_pairs }
    local exchange = send(request)
    self.emu:hostile { short_list = 0 }
    return exchange
  end } }
end

--- Whether the answer to a request left it open that the work was done.
---@param request table of `requests`
---@return boolean
function M.is_doubtful(request)
  return request.code == "dropped" or (request.status or 0) >= 500
    or request.code == "LastTokenProcessing" or request.code == "SignatureNonceUsed"
end

-- Refused for good: the service may repeat it to whoever gives the token again.
local function ends_token(request)
  local code, status = request.code or "", request.status or 0
  return status >= 400 and status < 500 and not M.is_doubtful(request)
    and not code:find "^Throttling" and not code:find "^BLOCK"
end

--- Whether sends of one intent go under one token as long as something is in doubt under it or
--- nothing was refused, and under another one afterwards.
---@param sends table[] of `requests`
---@return boolean
function M.has_right_tokens(sends)
  local token, ended, doubtful, spent = nil, true, false, {}
  for _, request in ipairs(sends) do
    local renewed = request.client_token ~= token
    if renewed ~= ended or spent[request.client_token] and renewed then return false end
    if renewed then doubtful = false end
    token, spent[request.client_token] = request.client_token, true
    doubtful = doubtful or M.is_doubtful(request)
    ended = not doubtful and ends_token(request)
  end
  return true
end

--- A fault on the failover call.
---@param effect table
---@param when? "before"|"after"
---@param match? table
---@return table rule
function M.fault(effect, when, match)
  local rule = { match = { action = "FailoverDiskReplicaGroup", count = 1 }, when = when,
    effect = effect }
  for name, value in pairs(match or {}) do rule.match[name] = value end
  return rule
end

--- An error answer.
---@param code string
---@param status integer
---@param retry_after? number
---@return table
function M.answer(code, status, retry_after)
  return { error = { code = code, status = status, retry_after = retry_after } }
end

--- Runs one failover in a laboratory of its own.
---@param given? table as for `new`
---@param options? table as for `failover`
---@return spec.dr.Lab
---@return table|nil result
---@return table|nil err
function M.run(given, options)
  local bench = M.new(given)
  return bench, bench:failover(options)
end

--- What must hold after every failover: sends of one intent share token, until it is refused, and
--- group, every effect goes to the secondary site, nobody asks another region.
---@param bench spec.dr.Lab
---@param effects integer how many the ledger must show
function M.assert_sound(bench, effects)
  local ledger, sends = bench:ledger(), bench:sends()
  assert.equal(effects, #ledger, "effects in the ledger")
  for _, effect in ipairs(ledger) do
    assert.equal(M.SECONDARY, effect.region)
    assert.equal("cn-shanghai/cn-shanghai-b", effect.to)
  end
  assert.is_true(M.has_right_tokens(sends), "tokens")
  for _, request in ipairs(sends) do assert.equal(M.ID, request.group) end
  for _, request in ipairs(bench:requests()) do assert.equal(M.SECONDARY, request.region) end
end

return M
