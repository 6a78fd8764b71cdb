--- The contents of an in-memory store of keys (alicloud.dr.store.memory_keys): sorted entries,
--- sessions on a clock, and a revision that grows with every change.

local core = require "alicloud.core"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.KeyWorld
---@field revision integer number of the last change
---@field cluster string id of the store
---@field now fun(): number seconds
---@field entries table<string, alicloud.dr.Entry> by key
---@field sessions table<string, { id: string, ttl: number, ends: number }> by id
local World = {}
World.__index = World

--- Makes an empty store.
---@param given? { now?: (fun(): number), cluster?: string } clock of the store (core.boottime), and
--- its id
---@return alicloud.dr.KeyWorld
function M.new(given)
  given = given or {}
  return setmetatable({ now = given.now or core.boottime, cluster = given.cluster or "memory",
    revision = 1, made = 0, sessions = {}, entries = {}, order = {} }, World)
end

-- The index of the first key that is not less.
local function place_of(order, key)
  local low, high = 1, #order + 1
  while low < high do
    local middle = (low + high) // 2
    if order[middle] < key then low = middle + 1 else high = middle end
  end
  return low
end

--- Iterates over the keys with a prefix, in the order of their bytes.
---@param prefix string
---@param from? string first key to return (the prefix)
---@return fun(): string|nil
function World:keys(prefix, from)
  local order, place = self.order, place_of(self.order, from or prefix) - 1
  return function()
    place = place + 1
    local key = order[place]
    return key and key:sub(1, #prefix) == prefix and key or nil
  end
end

--- The entry of a key.
---@param key string
---@return alicloud.dr.Entry|false entry a copy; false: the key does not exist
function World:entry(key)
  local entry = self.entries[key]
  return entry and tables.copy(entry) or false
end

--- Begins a change: later `put`s get its revision.
function World:change()
  self.revision = self.revision + 1
end

--- Writes a key as part of the current change.
---@param key string
---@param value string
---@param session? string id of the session with which it vanishes
---@return alicloud.dr.Entry entry a copy
function World:put(key, value, session)
  local entry, revision = self.entries[key], tostring(self.revision)
  if not entry then table.insert(self.order, place_of(self.order, key), key) end
  self.entries[key] = { key = key, value = value, version = revision,
    created = entry and entry.created or revision, session = session }
  return self:entry(key)
end

--- Deletes a key as part of the current change.
---@param key string
function World:remove(key)
  if not self.entries[key] then return end
  self.entries[key] = nil
  table.remove(self.order, place_of(self.order, key))
end

--- Begins a session.
---@param ttl number seconds
---@return string id
function World:begin_session(ttl)
  self.made = self.made + 1
  local id = ("7%018d"):format(self.made)
  self.sessions[id] = { id = id, ttl = ttl, ends = self.now() + ttl }
  return id
end

--- Ends a session and deletes its keys, in one change.
---@param id string
function World:end_session(id)
  self.sessions[id] = nil
  local gone = {}
  for key, entry in pairs(self.entries) do
    if entry.session == id then gone[#gone + 1] = key end
  end
  if gone[1] then self:change() end
  for _, key in ipairs(gone) do self:remove(key) end
end

--- Ends the sessions whose time is over.
function World:expire_due()
  local now = self.now()
  for _, id in ipairs(tables.keys(self.sessions)) do
    if self.sessions[id].ends <= now then self:end_session(id) end
  end
end

--- Ends sessions early, as a faulty engine may.
---@param id? string only this one (all)
function World:expire(id)
  for _, known in ipairs(tables.keys(self.sessions)) do
    if not id or known == id then self:end_session(known) end
  end
end

--- All entries, in the order of keys.
---@param prefix? string only keys with it (all)
---@return alicloud.dr.Entry[]
function World:dump(prefix)
  self:expire_due()
  local list = {}
  for key in self:keys(prefix or "") do list[#list + 1] = self:entry(key) end
  return list
end

--- The contents of an operator's backup.
---@return table backup for `restore`
function World:backup()
  return { revision = self.revision, entries = tables.copy(self.entries) }
end

--- Restores a backup, as `etcdutl snapshot restore` does: the id of the cluster stays, later
--- changes are gone, and their revisions are given out again. Sessions and their keys are not
--- restored.
---@param backup table
function World:restore(backup)
  self.revision, self.entries, self.sessions = backup.revision, {}, {}
  for key, entry in pairs(backup.entries) do
    if not entry.session then self.entries[key] = entry end
  end
  self.order = tables.keys(self.entries)
end

return M
