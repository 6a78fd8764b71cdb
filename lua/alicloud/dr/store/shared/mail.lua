--- The inbox of a run in a shared store: each line that people leave is a key.

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local support = require "alicloud.dr.store.shared.support"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

--- Leaves a line.
---@param store alicloud.dr.SharedStore
---@param line string without a newline
---@return boolean|nil ok
---@return alicloud.Error? err
function M.post(store, line)
  local key = ("%smail/%s"):format(store.at, store.runtime.random_hex(8))
  local text = core.encode { who = trusted_files.name(core.user().uid),
    host = core.process().host, line = line }
  -- The name is random, so an existing key was written by an earlier try.
  local made, err = support.persist(store, function() return store.keys:create(key, text) end)
  if made == nil then return nil, err end
  return true
end

local function letters_of(entry)
  local letter = core.decode(entry.value)
  if type(letter) ~= "table" or type(letter.line) ~= "string" then return nil end
  local who = ("%s on %s"):format(tostring(letter.who), tostring(letter.host))
  return { name = entry.key, who = errors.text_of(who, 100), trusted = true,
    lines = { letter.line } }
end

local function in_order(one, other)
  return tonumber(one.created) < tonumber(other.created)
end

--- The lines that were left, the oldest first. Whoever can write to the store may give orders.
---@param store alicloud.dr.SharedStore
---@return alicloud.dr.Letters[]|nil
---@return alicloud.Error? err
function M.read(store)
  local entries, err = store.keys:list(store.at .. "mail/")
  if not entries then return nil, err end
  table.sort(entries, in_order)
  local list = {}
  for _, entry in ipairs(entries) do list[#list + 1] = letters_of(entry) end
  return list
end

return M
