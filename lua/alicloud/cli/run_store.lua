--- Connects a command to the stores of runs: their shared context, and the names of journals and
--- stores that were typed.

local cli_clients = require "alicloud.cli.client"
local options = require "alicloud.cli.options"
local places = require "alicloud.dr.store.place"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
local stores = require "alicloud.dr.store"

local M = {}

-- One context for each command, so that all its stores use one connection.
local contexts = setmetatable({}, { __mode = "k" })

--- The context that all stores of a command share.
---@param io alicloud.cli.Io
---@return alicloud.dr.StoreContext
function M.context(io)
  local context = contexts[io]
  if not context then
    context = { runtime = cli_clients.runtime(io), kept = {} }
    contexts[io] = context
  end
  return context
end

local function parse(field, text)
  local address, message = places.parse(text)
  return address or options.refuse(field .. ": " .. message)
end

--- Checks a typed journal: a path, or the address of a run. An address is returned in its normal
--- form, which all messages show.
---@param name string
---@param field? string where it was typed (journal)
---@return string
function M.journal(name, field)
  field = field or "journal"
  if name == "" then options.refuse(field .. ": is empty; allowed: a path, or an address") end
  if stores.is_path(name) then return name end
  local address = parse(field, name)
  if not address.run then
    options.refuse(("%s: got %s: it names no run; allowed: %s; the runs that are there: "
      .. "alicloud-dr runs '%s'"):format(field, schema.show(name), places.FORM, address.store))
  end
  return address.text
end

--- Checks the typed address of a store, which must name no run.
---@param name string
---@param field string where it was typed
---@return string
function M.store(name, field)
  local address = parse(field, name)
  if address.run then
    options.refuse(("%s: got %s: it names a run; allowed: %s, without #RUN"):format(field,
      schema.show(name), places.FORM))
  end
  return address.text
end

local function named(getenv)
  local address, message = places.from_environment(getenv)
  if message then options.refuse(message) end
  return address
end

--- The shared store that the environment names, where runs live by default.
---@param getenv fun(name: string): string|nil
---@return string|nil address without a run
function M.named(getenv)
  local address = named(getenv)
  return address and address.text
end

--- The address of the run of which a file is this machine's copy. A run never continues from a
--- copy.
---@param path string path of the copy
---@param getenv fun(name: string): string|nil
---@return string address in the environment's store if the copy is of there, else "ADDRESS#RUN"
function M.origin(path, getenv)
  local run = path:match "([^/]+)%-%x+%.mirror$" or "RUN"
  local store = places.from_environment(getenv)
  local name = store and places.parse(store.store .. "#" .. run)
  local mirror = name and places.mirror(name, getenv)
  if mirror and mirror:match "[^/]+$" == path:match "[^/]+$" then return name.text end
  return "ADDRESS#" .. run
end

--- Adds to the hint of an unreadable run that this machine has a copy of it, if it has one.
---@param err alicloud.Error
---@param name string the journal that was asked for
---@param io alicloud.cli.Io
---@return alicloud.Error err the same
function M.name_copy(err, name, io)
  local address = not stores.is_path(name) and places.parse(name)
  local path = address and address.run and places.mirror(address, cli_clients.runtime(io).getenv)
  if err.errno ~= "ENOENT" and path and stores.read(path) then
    local told = "what this machine knew last: " .. shell.command("explain", { path })
    err.hint = err.hint and ("%s; %s"):format(err.hint, told) or told
  end
  return err
end

--- The members of the store that the environment names.
---@param getenv fun(name: string): string|nil
---@return string[] hosts host:port, in the order of the address
function M.members(getenv)
  local address = named(getenv)
  return address and address.hosts or {}
end

return M
