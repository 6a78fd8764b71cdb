--- Opens, reads and lists the journals of runs, in files and in shared stores. A journal is named
--- by a path, or by the address of a run in a shared store (alicloud.dr.store.place).

local core = require "alicloud.core"
local files = require "alicloud.dr.store.file"
local lazy = require "alicloud.base.lazy"
local places = require "alicloud.dr.store.place"
local private = require "alicloud.dr.store.private"
local shell = require "alicloud.base.shell"

---@module "alicloud.base.at_once"
local at_once = lazy.module "alicloud.base.at_once"
---@module "alicloud.dr.store.etcd"
local etcd = lazy.module "alicloud.dr.store.etcd"
---@module "alicloud.net.options"
local net_options = lazy.module "alicloud.net.options"
---@module "alicloud.dr.store.relocate"
local relocate = lazy.module "alicloud.dr.store.relocate"
---@module "alicloud.loop.shared"
local shared_loops = lazy.module "alicloud.loop.shared"
---@module "alicloud.base.runtime"
local runtimes = lazy.module "alicloud.base.runtime"
---@module "alicloud.dr.store.shared"
local shared = lazy.module "alicloud.dr.store.shared"

local M = {}

-- Journals of a shared store that are read at the same time.
local AT_ONCE = 16

---@class alicloud.dr.StoreContext what all stores of a command or a run share; a client is one, too
---@field runtime? alicloud.Runtime its environment says how a shared store is reached
---@field loop? alicloud.loop.Loop waits for a shared store; nil: a loop of its own
---@field kept? table connections that stay open for later looks; filled here

--- Whether a journal is a file of this machine.
---@param name string path or address
---@return boolean
function M.is_path(name)
  return not places.is_address(name)
end

-- Runtime and loop of the context, or default ones.
local function surroundings(context)
  local runtime = context and context.runtime or runtimes.new()
  return runtime, context and context.loop or shared_loops.of_clock(runtime)
end

local function urls_of(address)
  local list = {}
  for i, host in ipairs(address.hosts) do list[i] = address.scheme .. "://" .. host end
  return list
end

local function connect(address, context)
  local runtime, loop = surroundings(context)
  local access, err = places.access(address, runtime)
  if not access then return nil, err end
  return etcd.open { name = address.store, prefix = address.prefix, members = urls_of(address),
    loop = loop, user = access.user, password = access.password,
    network = net_options.settings(access, runtime.getenv) }
end

local function parse(name)
  local address, message = places.parse(name)
  if not address then return nil, places.failure(message) end
  return address
end

local function shared_store(address, keys, context, mirror)
  local runtime, loop = surroundings(context)
  return shared.open { keys = keys, run = address.run or "", name = address.text,
    prefix = address.prefix, runtime = runtime, loop = loop, mirror = mirror }
end

local function open_shared(name, context)
  local address, err = parse(name)
  if not address then return nil, err end
  if not address.run then
    return nil, private.failure(name, "it names no run; allowed: " .. places.FORM)
  end
  local keys
  keys, err = connect(address, context)
  if not keys then return nil, err end
  local runtime = surroundings(context)
  return shared_store(address, keys, context, places.mirror(address, runtime.getenv))
end

-- Reads from a shared store, over a kept connection or one that is closed afterwards.
local function look(name, context, act)
  local address, err = parse(name)
  if not address then return nil, err end
  local kept = context and context.kept
  local keys = kept and kept[address.store]
  if not keys then keys, err = connect(address, context) end
  if not keys then return nil, err end
  if kept then kept[address.store] = keys end
  local _ <close> = setmetatable({}, { __close = function()
    if not kept then keys:close() end
  end })
  return act(shared_store(address, keys, context), address)
end

-- Refuses a copy: a process that resumed from it could do again what others do from the store.
local function copy_fault(path)
  if not places.is_mirror(path) then return nil end
  return private.failure(path, "it is this machine's copy of a run in a shared store, from which "
    .. "nothing goes on", nil, "go on in the store; its runs: alicloud-dr runs ADDRESS. If the "
    .. "store is lost for good: alicloud-dr manual controllers")
end

--- Opens a store for writing; a file that does not exist is made.
---@param name string path or address
---@param context? alicloud.dr.StoreContext
---@return alicloud.dr.Store|nil
---@return alicloud.Error? err
function M.open(name, context)
  if not M.is_path(name) then return open_shared(name, context) end
  local fault = copy_fault(name)
  if fault then return nil, fault end
  return files.open(name)
end

local function read_shared(name, context)
  return look(name, context, function(store, address)
    local text, err = store:load()
    if text ~= "" then return text, err end
    return nil, private.failure(name, "there is no such run", "ENOENT", "those that are there: "
      .. shell.command("runs", { address.store }))
  end)
end

-- Reads a file; the error of a journal that was handed over says where it is.
local function of_file(path, read)
  local text, err = read(path)
  if not text and err.errno == "ENOENT" then err = relocate.moved_error(path) or err end
  return text, err
end

--- Reads a journal, which another process may be writing.
---@param name string path or address
---@param context? alicloud.dr.StoreContext
---@return string|nil text
---@return alicloud.Error? err errno "ENOENT" if there is none: code "Client.JournalFailed", or
---"Client.JournalMoved" if it was handed over
function M.read(name, context)
  if M.is_path(name) then return of_file(name, files.read) end
  return read_shared(name, context)
end

--- Reads a journal that will be obeyed. A file must be one that only trusted users can write. In a
--- shared store whoever has access is trusted.
---@param name string path or address
---@param context? alicloud.dr.StoreContext
---@return string|nil text
---@return alicloud.Error? err see `read`
function M.read_trusted(name, context)
  if not M.is_path(name) then return read_shared(name, context) end
  local fault = copy_fault(name)
  if fault then return nil, fault end
  return of_file(name, files.read_trusted)
end

--- Whether a process is at work on a journal. Reads only, takes no lock.
---@param name string path or address
---@param context? alicloud.dr.StoreContext
---@return alicloud.dr.Hold
function M.hold(name, context)
  if M.is_path(name) then return files.hold(name) end
  local hold, err = look(name, context, function(store) return store:hold() end)
  hold = hold or { here = core.process().host, why = err.message }
  hold.shared = true
  return hold
end

--- Opens the keys of a shared store, for what several runs share. The caller closes them.
---@param name string address, without a run
---@param context? alicloud.dr.StoreContext
---@return alicloud.dr.Keys|nil
---@return alicloud.Error|alicloud.dr.Address err_or_address
function M.keys(name, context)
  local address, err = parse(name)
  if not address then return nil, err end
  local keys
  keys, err = connect(address, context)
  return keys, keys and address or err
end

local function list_files(directory)
  local found, message, code = core.list_directory(directory)
  if not found and code == "ENOENT" then return {} end
  if not found then return nil, private.failure(directory, message, code) end
  local names = {}
  for _, name in ipairs(found) do
    if name:find "%.jsonl$" then names[#names + 1] = directory .. "/" .. name end
  end
  return names
end

local function list_shared(name, context)
  return look(name, context, function(store, address)
    local runs, err = store:runs()
    if not runs then return nil, err end
    for i, run in ipairs(runs) do runs[i] = places.of_run(address, run) end
    return runs
  end)
end

--- The names of the runs in a directory or store; none if the directory does not exist.
---@param place string directory, or address without a run
---@param context? alicloud.dr.StoreContext
---@return string[]|nil names as `open` takes them, sorted
---@return alicloud.Error? err
function M.list(place, context)
  local names, err = (M.is_path(place) and list_files or list_shared)(place, context)
  if not names then return nil, err end
  table.sort(names)
  return names
end

--- Calls `act` for several journals. Reading one of a shared store takes a few round trips, so
--- several are read at the same time.
---@param names string[] from `list`
---@param context alicloud.dr.StoreContext|nil
---@param act fun(name: string): any
---@return table<integer, any> results by the index of the name
function M.each(names, context, act)
  if #names > 1 and not M.is_path(names[1]) then
    local _, loop = surroundings(context)
    return at_once.each(loop, names, AT_ONCE, act)
  end
  local results = {}
  for i, name in ipairs(names) do results[i] = act(name) end
  return results
end

return M
