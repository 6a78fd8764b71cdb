--- The index of a shared store: its runs, with the cluster and the version of this tool that made
--- each.

local core = require "alicloud.core"
local support = require "alicloud.dr.store.shared.support"

local M = {}

M.VERSION = 1

local failure = support.failure

local function key_of(store)
  return store.base .. "index/" .. support.part(store.run)
end

local function cluster_of(store)
  return support.persist(store, function() return store.keys:cluster() end)
end

local function fault_of(store, entry)
  local about = core.decode(entry.value)
  if type(about) ~= "table" then
    return failure(store, "Client.JournalDamaged", "what its index says of the run is no JSON",
      "look at the groups, then begin a new run")
  end
  if (math.tointeger(about.version) or 0) > M.VERSION then
    return failure(store, "Client.JournalFailed",
      ("a newer version has made it (%s)"):format(tostring(about.version)),
      "go on with that version of alicloud-dr")
  end
  local cluster, err = cluster_of(store)
  if not cluster then return err end
  if about.cluster == cluster then return nil end
  return failure(store, "Client.OtherCluster", ("the run was begun in the cluster %s, and this is "
    .. "%s"):format(tostring(about.cluster), cluster), "name the members of that "
    .. "cluster; was it restored as this one, look at the groups, and begin a new run (--new)")
end

--- Whether the run of a store may be continued here, by its cluster and version; true if it has not
--- begun.
---@param store alicloud.dr.SharedStore
---@return boolean|nil ok
---@return alicloud.Error? err
function M.check(store)
  local entry, err = support.get(store, key_of(store))
  if entry == nil then return nil, err end
  local fault = entry and fault_of(store, entry)
  if fault then return nil, fault end
  return true
end

--- Adds the run of a store to the index, if it is not there.
---@param store alicloud.dr.SharedStore
---@return boolean|nil ok
---@return alicloud.Error? err
function M.make(store)
  local cluster, err = cluster_of(store)
  if not cluster then return nil, err end
  local text = core.encode { version = M.VERSION, cluster = cluster, run = store.run,
    at = store.runtime.time() }
  local made, found = support.persist(store, function()
    return store.keys:create(key_of(store), text)
  end)
  if made == nil then return nil, found end
  local fault = not made and fault_of(store, found)
  if fault then return nil, fault end
  return true
end

local function newest_first(one, other)
  return tonumber(one.created) > tonumber(other.created)
end

-- The entries of the index, the newest first.
local function entries_of(store)
  local list = {}
  local ok, err = support.each(store, store.base .. "index/", function(entry)
    list[#list + 1] = entry
  end)
  if not ok then return nil, err end
  table.sort(list, newest_first)
  return list
end

local function name_of(entry)
  return core.percent_decode(entry.key:match "[^/]*$")
end

--- The names of the runs in a store, the newest first.
---@param store alicloud.dr.SharedStore
---@return string[]|nil names
---@return alicloud.Error? err
function M.runs(store)
  local list, err = entries_of(store)
  if not list then return nil, err end
  local names = {}
  for i, entry in ipairs(list) do names[i] = name_of(entry) end
  return names
end

--- Iterates over the other runs that may be continued here, the newest first; over none if they
--- cannot be listed.
---@param store alicloud.dr.SharedStore
---@return fun(): string|nil
function M.others(store)
  local list, place = entries_of(store) or {}, 0
  return function()
    while place < #list do
      place = place + 1
      local name = name_of(list[place])
      if name ~= store.run and not fault_of(store, list[place]) then return name end
    end
  end
end

return M
