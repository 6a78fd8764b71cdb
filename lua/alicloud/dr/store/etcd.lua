--- The primitives of a shared store, over etcd. `alicloud.dr.store.shared` builds on them; another
--- store needs the same functions, except `txn` and `session`, which are optional.
---
---   get(key)                    entry, or false
---   list(prefix, after, limit)  entries in the order of their keys, and whether there are more
---   create(key, value, session) the entry, or false and the existing one
---   swap(key, value, version)   the entry, or false and the existing one
---   drop(key, version)          true, or false and the existing one
---   txn(what)                   all or nothing, under conditions; else false and what was read
---   session, renew, revoke, left   keys that vanish with the session that wrote them
---
--- Each is one request. After `nil, err` with outcome "unknown" it may have been done: a caller
--- that repeats it must recognise its own value. Sources: https://etcd.io/docs/v3.5/learning/api/,
--- and
--- alicloud.dr.store.gateway.

local core = require "alicloud.core"
local gateways = require "alicloud.dr.store.gateway"

local M = {}

---@class alicloud.dr.Entry
---@field key string
---@field value string
---@field version string changes with every write of the key (mod_revision)
---@field created string decimal; grows over all keys of the store (create_revision)
---@field session string? the session with which it vanishes

---@class alicloud.dr.Txn
---@field when { key: string, absent?: true, present?: true, created?: string, version?: string }[]
---@field put? { key: string, value: string, session?: string }[]
---@field drop? string[]
---@field read? string[] keys that are read if a condition does not hold

---@class alicloud.dr.Keys
---@field name string
---@field get fun(self, key: string): alicloud.dr.Entry|false|nil, alicloud.Error?
---@field list fun(self, prefix: string, after?: string, limit?: integer): alicloud.dr.Entry[]|nil,
---boolean|alicloud.Error
---@field create fun(self, key: string, value: string, session?: string):
---alicloud.dr.Entry|false|nil, alicloud.dr.Entry|alicloud.Error?
---@field swap fun(self, key: string, value: string, version: string, session?: string):
---alicloud.dr.Entry|false|nil, alicloud.dr.Entry|alicloud.Error?
---@field drop fun(self, key: string, version: string): boolean|nil,
---alicloud.dr.Entry|alicloud.Error?
---@field txn? fun(self, txn: alicloud.dr.Txn): boolean|nil, table|alicloud.Error
---@field session? fun(self, ttl: integer): { id: string, ttl: integer }|nil, alicloud.Error?
---@field renew? fun(self, id: string): integer|false|nil, alicloud.Error?
---@field revoke? fun(self, id: string): boolean|nil, alicloud.Error?
---@field left? fun(self, id: string): integer|false|nil, alicloud.Error?
---@field probe fun(self): boolean|nil, alicloud.Error? whether it accepts writes
---@field cluster fun(self): string|nil, alicloud.Error? id of the store
---@field close fun(self)

-- Most keys in one answer.
local MOST = 1000

---@class alicloud.dr.EtcdKeys: alicloud.dr.Keys
---@field most integer keys in a page; halved when an answer was too large
---@field gateway alicloud.dr.Gateway
local Keys = {}
Keys.__index = Keys

---@param options alicloud.dr.GatewayOptions
---@return alicloud.dr.EtcdKeys
function M.open(options)
  return setmetatable({ name = options.name, most = MOST, gateway = gateways.open(options) }, Keys)
end

local b64, unb64 = core.base64, core.unbase64

local function entry_of(kv)
  return { key = unb64(kv.key), value = unb64(kv.value or ""), version = kv.mod_revision,
    created = kv.create_revision, session = kv.lease ~= "0" and kv.lease or nil }
end

-- The first key behind all keys with a prefix, which ends with "/".
local function behind(prefix)
  return prefix:sub(1, -2) .. string.char(prefix:byte(-1) + 1)
end

-- Writes target and result always: the gateway takes a missing one for VERSION EQUAL 0.
local function compare(condition)
  local made = { key = b64(condition.key), target = "CREATE", result = "EQUAL" }
  if condition.version then
    made.target, made.mod_revision = "MOD", condition.version
  elseif condition.present then
    made.result, made.create_revision = "GREATER", "0"
  else
    made.create_revision = condition.absent and "0" or condition.created
  end
  return made
end

local function put(each)
  return { request_put = { key = b64(each.key), value = b64(each.value), lease = each.session,
    prev_kv = each.before } }
end

local function delete(key)
  return { request_delete_range = { key = b64(key) } }
end

local function range(key)
  return { request_range = { key = b64(key) } }
end

local function map(list, make)
  local made = {}
  for i, each in ipairs(list or {}) do made[i] = make(each) end
  return core.array(made)
end

local function joined(one, other)
  return core.array(table.move(other, 1, #other, #one + 1, one))
end

local function read_entries(responses)
  local found = {}
  for _, response in ipairs(responses or {}) do
    local kv = response.response_range and (response.response_range.kvs or {})[1]
    if kv then
      local entry = entry_of(kv)
      found[entry.key] = entry
    end
  end
  return found
end

local function transact(keys, txn)
  return keys.gateway:ask("kv/txn", {
    compare = map(txn.when, compare), success = joined(map(txn.put, put), map(txn.drop, delete)),
    failure = map(txn.read, range),
  })
end

function Keys:txn(txn)
  local answer, err = transact(self, txn)
  if not answer then return nil, err end
  if answer.succeeded then return true, { revision = answer.header.revision } end
  return false, read_entries(answer.responses)
end

function Keys:get(key)
  local answer, err = self.gateway:ask("kv/range", { key = b64(key) })
  if not answer then return nil, err end
  local kv = (answer.kvs or {})[1]
  return kv and entry_of(kv) or false
end

-- A page that says "more" and makes no progress is refused, so that reading comes to an end.
local function whole_page(keys, answer, after)
  local list, more = map(answer.kvs, entry_of), answer.more == true
  if more and (#list == 0 or list[#list].key == after) then
    return nil, keys.gateway:strange "kv/range"
  end
  return list, more
end

-- Reads a page; if the answer is too large, asks for half as many keys from then on.
local function page(keys, prefix, after, limit)
  while true do
    limit = math.min(limit, keys.most)
    local answer, err, too_large = keys.gateway:ask("kv/range", {
      key = b64(after and after .. "\0" or prefix), range_end = b64(behind(prefix)),
      limit = tostring(limit),
    })
    if answer then return whole_page(keys, answer, after) end
    if not too_large or limit == 1 then return nil, err end
    keys.most = limit // 2
  end
end

function Keys:list(prefix, after, limit)
  if limit then return page(self, prefix, after, limit) end
  local all, more = {}, true
  while more do
    local list
    list, more = page(self, prefix, after, MOST)
    if not list then return nil, more end
    table.move(list, 1, #list, #all + 1, all)
    after = #list > 0 and list[#list].key or after
  end
  return all, false
end

-- The entry that a put has replaced.
local function before_of(answer)
  local response = (answer.responses or {})[1]
  local done = response and response.response_put
  return type(done) == "table" and type(done.prev_kv) == "table" and done.prev_kv or nil
end

-- Writes a key under a condition. A swapped key keeps its `created`, which the old entry tells.
local function write(keys, condition, key, value, session)
  local swaps = condition.version ~= nil or nil
  local answer, err = transact(keys, { when = { condition }, read = { key },
    put = { { key = key, value = value, session = session, before = swaps } } })
  if not answer then return nil, err end
  if not answer.succeeded then return false, read_entries(answer.responses)[key] end
  local revision = answer.header.revision
  local before = swaps and before_of(answer)
  if swaps and not before then return nil, keys.gateway:strange "kv/txn" end
  local created = before and before.create_revision or revision
  return { key = key, value = value, version = revision, session = session, created = created }
end

function Keys:create(key, value, session)
  return write(self, { key = key, absent = true }, key, value, session)
end

function Keys:swap(key, value, version, session)
  return write(self, { key = key, version = version }, key, value, session)
end

function Keys:drop(key, version)
  local done, found = self:txn { when = { { key = key, version = version } }, drop = { key },
    read = { key } }
  if done == nil then return nil, found end
  if done or not found[key] then return true end
  return false, found[key]
end

function Keys:session(ttl)
  local answer, err = self.gateway:ask("lease/grant", { TTL = tostring(ttl) })
  if not answer then return nil, err end
  return { id = answer.ID, ttl = math.tointeger(tonumber(answer.TTL)) or ttl }
end

-- Without a TTL in the answer the session is gone.
function Keys:renew(id)
  local answer, err = self.gateway:ask("lease/keepalive", { ID = id })
  if not answer then return nil, err end
  return math.tointeger(tonumber(answer.TTL)) or false
end

-- A session that is gone counts as ended.
function Keys:revoke(id)
  local answer, err = self.gateway:ask("lease/revoke", { ID = id })
  if answer or err.code == "Client.JournalLost" then return true end
  return nil, err
end

function Keys:left(id)
  local answer, err = self.gateway:ask("lease/timetolive", { ID = id })
  if not answer then return nil, err end
  local left = math.tointeger(tonumber(answer.TTL)) or 0
  return left >= 0 and left
end

-- With the alarm NOSPACE renewals pass and writes are refused, so this asks for alarms.
function Keys:probe()
  local answer, err = self.gateway:ask("maintenance/alarm", { action = "GET" })
  if not answer then return nil, err end
  for _, alarm in ipairs(answer.alarms or {}) do
    if alarm.alarm == "NOSPACE" then return nil, self.gateway:full() end
  end
  return true
end

function Keys:cluster()
  if not self.gateway.cluster_id then
    local answer, err = self:left "1"
    if answer == nil then return nil, err end
  end
  return self.gateway.cluster_id
end

function Keys:close()
  self.gateway:close()
end

return M
