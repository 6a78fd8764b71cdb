--- Keys and stores in a cluster of etcd, which the specs of a file share; each has a prefix of its
--- own.

local blocking = require "alicloud.loop.blocking"
local busted = require "busted"
local clusters = require "spec.etcd.cluster"
local core = require "alicloud.core"
local etcd = require "alicloud.dr.store.etcd"
local runtimes = require "alicloud.base.runtime"
local schedulers = require "alicloud.loop.scheduler"
local stores = require "alicloud.dr.store.shared"

local M = {}

local Bench = { __close = function(bench)
  for _, each in ipairs(bench.opened) do each:close() end
end }

--- Starts a cluster before the specs of a block, and ends it behind them.
---@param count integer members
---@return fun(): spec.Cluster
function M.cluster(count)
  local cluster
  busted.setup(function() cluster = clusters.start { members = count } end)
  busted.teardown(function() cluster:close() end)
  return function() return cluster end
end

local function keys_of(address, loop, options)
  local members, scheme = {}, address:match "^%a+://"
  for member in address:sub(#scheme + 1):gmatch "[^,]+" do
    members[#members + 1] = scheme .. member
  end
  return etcd.open { name = "etcd+" .. address, members = members, loop = loop,
    user = options.user, password = options.password, network = options.network }
end

local function loop_and_runtime()
  local runtime = runtimes.new()
  runtime.boottime = core.boottime
  return schedulers.new(blocking.new(runtime)), runtime
end

---@class spec.EtcdProcess
---@field loop alicloud.loop.Loop its own: it stands still while that is not run
---@field keys alicloud.dr.EtcdKeys
---@field store alicloud.dr.SharedStore
local Process = {}
Process.__index = Process

function Process:close() self.store:close() end
Process.__close = Process.close

--- What one process has of a run in etcd.
---@param address string of a cluster, or of what is before it
---@param options { prefix: string, run?: string, mirror?: string, ttl?: integer, user?: string,
---password?: string, network?: table }
---@return spec.EtcdProcess
function M.process(address, options)
  local loop, runtime = loop_and_runtime()
  local keys, run = keys_of(address, loop, options), options.run or "run"
  return setmetatable({ loop = loop, keys = keys, store = stores.open {
    keys = keys, run = run, prefix = options.prefix, loop = loop, runtime = runtime,
    name = ("etcd+%s%s#%s"):format(address, options.prefix, run),
    mirror = options.mirror, ttl = options.ttl,
  } }, Process)
end

--- Where nobody else has keys.
---@return string
function M.prefix()
  return "/alicloud-dr/" .. core.random_hex(8)
end

local function bench_of(open, more)
  local bench = setmetatable(more, Bench)
  bench.opened = {}
  function bench.open(name)
    local opened = open(name)
    bench.opened[#bench.opened + 1] = opened
    return opened
  end
  return bench
end

--- For spec.dr.store.keys_contract.
---@param cluster spec.Cluster
---@return spec.KeyBench
function M.keys(cluster)
  local loop = loop_and_runtime()
  return bench_of(function() return keys_of(cluster.address, loop, {}) end,
    { prefix = M.prefix() .. "/" })
end

--- For spec.dr.store.contract.
---@param cluster spec.Cluster
---@return spec.StoreBench
function M.stores(cluster)
  local loop, runtime = loop_and_runtime()
  local at = M.prefix()
  return bench_of(function(run)
    return stores.open { keys = keys_of(cluster.address, loop, {}), run = run or "run", prefix = at,
      name = ("etcd+%s%s#%s"):format(cluster.address, at, run or "run"), loop = loop,
      runtime = runtime }
  end, {})
end

return M
