--- Worlds for what comes after a failover: disks on instances, groups in every state, and faults on
--- any action.

local core = require "alicloud.core"
local lab = require "spec.dr.lab"

local M = { PRIMARY = lab.PRIMARY, SECONDARY = lab.SECONDARY, ID = lab.ID }

local OLD, NEW = "cn-hangzhou/cn-hangzhou-g", "cn-shanghai/cn-shanghai-b"

--- A world with one group of two pairs, the machine that writes to it and the one that waits.
---@param changes? table fields of the group; `old` status of the old instance, false for disks that
--- are attached nowhere
---@return table
function M.world(changes)
  changes = changes or {}
  local old = changes.old
  local group = { id = M.ID, name = "orders", status = "normal", recover_point_age = 432,
    source = OLD, destination = NEW, failover_seconds = 20, pairs = {
      { id = "pair-1", source_disk = "d-old-1", destination_disk = "d-new-1" },
      { id = "pair-2", source_disk = "d-old-2", destination_disk = "d-new-2" } } }
  for name, value in pairs(changes) do
    if name ~= "old" then group[name] = value end
  end
  local host = old ~= false and "i-old" or nil
  return {
    regions = { M.PRIMARY, M.SECONDARY }, groups = { group },
    disks = { { id = "d-old-1", place = OLD, instance = host },
      { id = "d-old-2", place = OLD, instance = host } },
    instances = { { id = "i-old", name = "orders", place = OLD, status = old or "Running" },
      { id = "i-new", name = "standby", place = NEW, status = "Stopped" },
      { id = "i-elsewhere", name = "other", place = "cn-shanghai/cn-shanghai-e" },
      -- Nobody can see of it that it will not start.
      { id = "i-sold-out", name = "dear", place = NEW, status = "Stopped", no_stock = true } },
  }
end

--- A laboratory with that world.
---@param changes? table
---@param given? table more for lab.new
---@return spec.dr.Lab
function M.new(changes, given)
  local all = { world = M.world(changes) }
  for name, value in pairs(given or {}) do all[name] = value end
  return lab.new(all)
end

--- A laboratory that is failed over, with free old disks.
---@param given? table more for lab.new
---@return spec.dr.Lab
function M.open(given)
  return M.new({ status = "failovered", old = false }, given)
end

--- A fault on an action.
---@param action string
---@param effect table
---@param when? "before"|"after"
---@param count? integer
---@return table
function M.fault(action, effect, when, count)
  return { match = { action = action, count = count or 1 }, when = when, effect = effect }
end

--- How often an action had an effect.
---@param bench spec.dr.Lab
---@param action string
---@return integer
function M.effects(bench, action)
  local count = 0
  for _, effect in ipairs(bench:ledger()) do
    if effect.action == action then count = count + 1 end
  end
  return count
end

--- The statuses of the group and its pairs, as they really are.
---@param bench spec.dr.Lab
---@return string
function M.truth(bench)
  local group = bench.emu:group(M.ID)
  local words = { group.status }
  for _, pair in ipairs(group.pairs) do words[#words + 1] = pair.status end
  return table.concat(words, " ")
end

--- Lets answers be changed on their way.
---@param bench spec.dr.Lab
---@param edit fun(action: string, region: string, body: table) may change what was answered
function M.edit(bench, edit)
  local send = bench.emu.transport.send
  bench.client = bench.client:with { transport = { send = function(request)
    local exchange, err = send(request)
    if not exchange or exchange.status ~= 200 then return exchange, err end
    local body = assert(core.decode(exchange.body))
    local text = request.url .. "&" .. (request.body or "")
    edit(request.action, text:match "RegionId=([%w-]+)", body)
    local copy = {}
    for name, value in pairs(exchange) do copy[name] = value end
    copy.body = core.encode(body)
    return copy
  end } }
end

--- Answers that leave it open whether the work was done.
M.DOUBTFUL = {
  ["500"] = lab.answer("InternalError", 500), ["503"] = lab.answer("ServiceUnavailable", 503),
  ["504"] = lab.answer("RequestTimeout", 504), drop = { drop = true },
}

return M
