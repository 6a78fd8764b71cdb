--- Shows for `conformance` what a tier is about to do, and what was found.

local fold = require "alicloud.cli.fold"
local reports = require "alicloud.conformance.report"
local services = require "alicloud.service"
local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"
local zones = require "alicloud.cli.zone"

local M = {}

local clean = terminal.clean

-- The RAM actions that a tier needs; operations that are not in the service data need none.
local function permissions(tier)
  local list, seen = {}, {}
  for _, action in ipairs(tier.actions) do
    local product, name = action:match "^(.-):(.+)$"
    local operation = services.data(product).operations[name]
    local needed = operation and operation.ram.action
    if needed and not seen[needed] then
      seen[needed] = true
      list[#list + 1] = needed
    end
  end
  table.sort(list)
  return table.concat(list, ", ")
end

local function line(io, label, text)
  return fold.hang(io, ("  %-10s%s"):format(label, text), 12) .. "\n"
end

--- What a tier will do.
---@param io alicloud.cli.Io
---@param name string
---@param tier alicloud.conformance.Tier
---@param detail? string the groups or disks that it uses
---@return string
function M.intent(io, name, tier, detail)
  return line(io, name, tier.cost)
    .. (detail and line(io, "", clean(detail, 1000)) or "")
    .. line(io, "RAM", permissions(tier))
end

local function shown(value)
  return clean(tostring(value), 60)
end

local function difference(io, decision)
  local assumed = decision.assumed
  local head, text = decision.name, clean(decision.text or "", 1000)
  if assumed ~= "fixed" then head = ("%s = %s"):format(head, shown(decision.value)) end
  if assumed ~= nil and assumed ~= "fixed" then
    head = ("%s   (assumed: %s)"):format(head, shown(assumed))
  end
  return ("    %s\n"):format(head)
    .. (text ~= "" and fold.hang(io, "      " .. text, 8) .. "\n" or "")
    .. fold.hang(io, "      " .. reports.meaning(decision.name), 8) .. "\n"
end

local function differences(io, title, list)
  if #list == 0 then return "" end
  local parts = { ("\n  %s\n"):format(title) }
  for _, decision in ipairs(list) do parts[#parts + 1] = difference(io, decision) end
  return table.concat(parts)
end

local function names(list)
  local all = {}
  for i, decision in ipairs(list) do all[i] = decision.name end
  return table.concat(all, ", ")
end

local function confirmed(io, list)
  if #list == 0 then return "" end
  return "\n  as assumed\n" .. fold.hang(io, "    " .. names(list), 4) .. "\n"
end

-- Undecided assumptions, grouped by the reason.
local function undecided(io, list)
  if #list == 0 then return "" end
  local by_reason, order = {}, {}
  for _, decision in ipairs(list) do
    local reason = decision.text or "no reason is known"
    if not by_reason[reason] then
      by_reason[reason] = {}
      order[#order + 1] = reason
    end
    table.insert(by_reason[reason], decision)
  end
  local parts = { "\n  not told\n" }
  for _, reason in ipairs(order) do
    parts[#parts + 1] = fold.hang(io, ("    %s: %s"):format(clean(reason, 300),
      names(by_reason[reason])), 6) .. "\n"
  end
  return table.concat(parts)
end

local function count_line(io, groups)
  local other = #groups.contradicted + #groups.new
  local verdict = other > 0 and "warn" or #groups.confirmed > 0 and "ok" or "unknown"
  local mark = terminal.mark(io, verdict)
  return ("\n  %s %d as assumed, %d otherwise, %d that nobody knew, %d not told\n"):format(mark,
    #groups.confirmed, #groups.contradicted, #groups.new, #groups.undecided)
end

--- The result.
---@param io alicloud.cli.Io
---@param result alicloud.conformance.Result
---@param path string the file that was written
---@return string
function M.result(io, result, path)
  local groups = reports.by_verdict(result)
  local title = ("  conformance   %s   %s   %s   %d calls"):format(
    table.concat(result.tiers, ", "), result.region, zones.moment(result.started), result.calls)
  return fold.hang(io, title, 16) .. "\n"
    .. differences(io, "otherwise than assumed", groups.contradicted)
    .. differences(io, "nobody knew (reported, not applied)", groups.new)
    .. confirmed(io, groups.confirmed) .. undecided(io, groups.undecided)
    .. count_line(io, groups)
    .. "    what a name means:     alicloud-dr explain NAME\n"
    .. ("    to rehearse with this: %s\n"):format(
      clean(shell.command("emulator", {}, { shell.option("--assume-from", path) }), 500))
end

return M
