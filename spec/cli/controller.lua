--- The machine of a controller at the command line: a desk whose runs live in a real etcd, which it
--- reaches through its gateway over real sockets. The cloud is the emulator, on its virtual clock.

local busted = require "busted"
local clusters = require "spec.etcd.cluster"
local desks = require "spec.cli.desk"

local M = {}

--- A playbook that fails until somebody mends it by a parameter.
M.STOPS = [[
local dr = require "alicloud.dr"
return dr.playbook("orders", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("look", function() return assert(orders:precheck {}).ok end)
  run:step("mend", function()
    if not run.params.mended then return nil, "a cable is loose" end
  end)
  run:step("promote", { point_of_no_return = true }, function() return orders:failover {} end)
end)]]

local cluster
local made = 0

--- The cluster of one member that specs share.
---@return spec.Cluster
function M.cluster()
  cluster = cluster or clusters.start()
  return cluster
end

--- A spec that needs etcd.
---@param name string
---@param body fun(own?: spec.Cluster)
---@param options? spec.ClusterOptions of a cluster of its own
function M.check(name, body, options)
  busted.it(name, function()
    local missing = clusters.missing(options)
    if missing then return busted.pending(missing) end
    if not options then return body() end
    local own <close> = clusters.start(options)
    body(own)
  end)
end

--- A desk with a directory of its own for what it keeps.
---@param script? string|false as for spec.cli.desk
---@param given? table
---@param address? string of the store; else of one that nobody else has
---@return spec.cli.Desk
---@return string? file with the playbook
---@return string address
function M.new(script, given, address)
  local desk, file, directory = desks.room(script, given)
  if not address then
    made = made + 1
    address = ("etcd+%s/dr-%d"):format(M.cluster().address, made)
  end
  desk.env.ALICLOUD_DR_STORE, desk.env.ALICLOUD_DR_JOURNALS = address, nil
  desk.env.XDG_STATE_HOME = directory
  return desk, file, address
end

--- The words of a command that was printed, behind its first one, as a shell takes them.
---@param command string
---@return string ...
function M.words_of(command)
  local pipe = assert(io.popen(("printf '%%s\\n' %s"):format(command)))
  local words = {}
  for line in pipe:lines() do words[#words + 1] = line end
  pipe:close()
  return table.unpack(words, 2)
end

return M
