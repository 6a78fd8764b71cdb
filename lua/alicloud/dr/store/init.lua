--- Where runs live: the one way to open, read and list journals, whatever holds them. A journal is
--- named by a path, or by the address of a run in a shared store (alicloud.dr.store.place).

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

-- So many journals of a shared store are asked for at a time.
local AT_ONCE = 16

---@class alicloud.dr.StoreContext what the stores of a command or of a run share; a client is one
---@field runtime? alicloud.Runtime whose environment says how a shared store is reached
---@field loop? alicloud.loop.Loop in which a shared store waits; else in one of its own
---@field kept? table filled here: connections that are left open for the next look

--- Whether a journal is a file of this machine.
---@param name string path or address
---@return boolean
function M.is_path(name)
  return not places.is_address(name)
end

-- Clock, environment and loop of whoever asks.
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

-- Looks by way of a connection that is kept, or of one that ends with the look.
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

-- Whoever went on from a copy could do once more what others do from the store.
local function copy_fault(path)
  if not places.is_mirror(path) then return nil end
  return private.failure(path, "it is this machine's copy of a run in a shared store, from which "
    .. "nothing goes on", nil, "go on in the store; its runs: alicloud-dr runs ADDRESS. If the "
    .. "store is lost for good: alicloud-dr manual controllers")
end

--- Opens a store to be written. A file is made if it is not there.
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

-- Whoever looks for one that was handed over is told where it is.
local function of_file(path, read)
  local text, err = read(path)
  if not text and err.errno == "ENOENT" then err = relocate.moved_error(path) or err end
  return text, err
end

--- The text of a journal that somebody else may be writing.
---@param name string path or address
---@param context? alicloud.dr.StoreContext
---@return string|nil text
---@return alicloud.Error? err errno "ENOENT" if there is none: code "Client.JournalFailed", or
---"Client.JournalMoved" if it was handed over
function M.read(name, context)
  if M.is_path(name) then return of_file(name, files.read) end
  return read_shared(name, context)
end

--- The text of a journal that is to be obeyed. Of a file it is judged who could have written it;
--- what a shared store holds was written by whoever the store lets in.
---@param name string path or address
---@param context? alicloud.dr.StoreContext
---@return string|nil text
---@return alicloud.Error? err as of `read`
function M.read_trusted(name, context)
  if not M.is_path(name) then return read_shared(name, context) end
  local fault = copy_fault(name)
  if fault then return nil, fault end
  return of_file(name, files.read_trusted)
end

--- Whether somebody is at work on a journal. Only looks.
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

--- The keys of a shared store, for what several runs have in common. Whoever opens them closes
--- them.
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

--- The runs of a place, by their names. One that is not there holds none.
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

--- Looks at several journals of a place. Those of a shared store are a few round trips each, so
--- several are asked for at a time.
---@param names string[] as `list` gives them
---@param context alicloud.dr.StoreContext|nil
---@param act fun(name: string): any
---@return table<integer, any> results by the places of the names
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
