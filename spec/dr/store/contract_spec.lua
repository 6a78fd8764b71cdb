-- The contract of a store, over each of them.

local clusters = require "spec.etcd.cluster"
local contract = require "spec.dr.store.contract"
local etcd = require "spec.dr.store.etcd_bench"
local files = require "alicloud.dr.store.file"
local memory = require "alicloud.dr.store.memory"
local scratch = require "spec.scratch"

local function bench(open)
  return setmetatable({ open = open }, { __close = function() end })
end

contract.check("a store in a file", function()
  local directory = scratch.path() .. "/a/b"
  assert(files.make_directories(directory))
  return bench(function(run)
    return files.open(("%s/%s.jsonl"):format(directory, run or "run"))
  end)
end, { torn = true })

contract.check("a store in memory", function()
  local disk = memory.disk()
  return bench(function(run) return disk:open(run or "run") end)
end, { torn = true })

local missing = clusters.missing()

if missing then
  pending("a shared store in etcd: " .. missing)
else
  local cluster = etcd.cluster(1)
  contract.check("a shared store in etcd", function() return etcd.stores(cluster()) end)
end
