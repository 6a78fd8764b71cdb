-- The contract of keys over each engine.

local clusters = require "spec.etcd.cluster"
local contract = require "spec.dr.store.keys_contract"
local etcd = require "spec.dr.store.etcd_bench"
local memory_keys = require "alicloud.dr.store.memory_keys"

local function in_memory(options)
  return function()
    local clock = 1000
    local world = memory_keys.world { now = function() return clock end }
    return setmetatable({
      prefix = "p/",
      pass = function(seconds) clock = clock + seconds end,
      open = function(name)
        return memory_keys.open(world, { name = name, txn = options.txn,
          sessions = options.sessions })
      end,
    }, { __close = function() end })
  end
end

for _, has in ipairs { { txn = true, sessions = true, clock = true },
  { txn = false, sessions = true, clock = true }, { txn = false, sessions = false } } do
  contract.check(("keys in memory, transactions %s, sessions %s"):format(has.txn, has.sessions),
    in_memory(has), has)
end

local missing = clusters.missing()

if missing then
  pending("keys in etcd: " .. missing)
else
  for _, count in ipairs { 1, 3 } do
    local cluster = etcd.cluster(count)
    contract.check(("keys in etcd, %d members"):format(count), function()
      return etcd.keys(cluster())
    end, { txn = true, sessions = true })
  end
end
