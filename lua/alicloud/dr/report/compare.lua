--- Compares two runs of a playbook: how long each step took, and which steps were added or removed.

local core = require "alicloud.core"
local md = require "alicloud.dr.report.md"
local plain = require "alicloud.dr.report.plain"
local tables = require "alicloud.base.tables"

local M = {}

---@class alicloud.dr.Comparison
---@field a table run_id, playbook, digest, status, kind, began_at, elapsed, chain
---@field b table the same
---@field same_playbook boolean whether the text of the playbook is the same
---@field rto { a: number?, b: number?, difference: number? } seconds; the difference is b - a
---@field rpo { a: number?, b: number?, difference: number? } seconds
---@field elapsed { a: number?, b: number?, difference: number? } seconds
---@field steps { step: string, a: number?, b: number?, difference: number?, a_status: string,
---b_status: string }[] steps of both runs; seconds
---@field added { step: string, seconds: number, status: string }[] steps of b alone
---@field removed { step: string, seconds: number, status: string }[] steps of a alone
local Comparison = {}
Comparison.__index = Comparison

local function header(model)
  return { run_id = model.run.id, playbook = model.playbook.name, digest = model.playbook.digest,
    status = model.status, kind = model.run.kind, began_at = model.began_at,
    elapsed = model.elapsed, chain = model.chain.verdict }
end

local function change(a, b)
  return { a = a, b = b, difference = a and b and b - a or nil }
end

local function only_in(model, other)
  local list = core.array {}
  for _, entry in ipairs(model.steps) do
    if not other[entry.step] then
      list[#list + 1] = { step = entry.step, seconds = entry.seconds, status = entry.status }
    end
  end
  return list
end

local function in_both(a, others)
  local list = core.array {}
  for _, entry in ipairs(a.steps) do
    local other = others[entry.step]
    if other then
      local row = change(entry.begun_at and entry.seconds, other.begun_at and other.seconds)
      row.step, row.a_status, row.b_status = entry.step, entry.status, other.status
      list[#list + 1] = row
    end
  end
  return list
end

--- Compares two runs.
---@param a alicloud.dr.EvidenceModel
---@param b alicloud.dr.EvidenceModel
---@return alicloud.dr.Comparison
function M.new(a, b)
  local in_a, in_b = tables.index(a.steps, "step"), tables.index(b.steps, "step")
  return setmetatable({
    a = header(a), b = header(b), same_playbook = a.playbook.digest == b.playbook.digest,
    rto = change(a.rto.achieved, b.rto.achieved), rpo = change(a.rpo.achieved, b.rpo.achieved),
    elapsed = change(a.elapsed, b.elapsed),
    steps = in_both(a, in_b), added = only_in(b, in_a), removed = only_in(a, in_b),
  }, Comparison)
end

local function seconds(value)
  return value and plain.duration(value) or "–"
end

local function difference(value)
  if not value then return "" end
  if value == 0 then return "=" end
  return (value > 0 and "+" or "−") .. plain.duration(math.abs(value))
end

local function row(label, pair)
  return ("| %s | %s | %s | %s |"):format(label, seconds(pair.a), seconds(pair.b),
    difference(pair.difference))
end

local function named(run)
  return ("%s, %s, %s"):format(md.text(run.run_id), plain.time(run.began_at),
    md.text((run.status:gsub("_", " "))))
end

local function add_rows(lines, comparison)
  for _, step in ipairs(comparison.steps) do
    local label = md.text(step.step)
    if step.a_status ~= step.b_status then
      label = ("%s (%s, then %s)"):format(label, step.a_status, step.b_status)
    end
    lines[#lines + 1] = row(label, step)
  end
  for _, step in ipairs(comparison.added) do
    lines[#lines + 1] = row(md.text(step.step) .. " (added)", { b = step.seconds })
  end
  for _, step in ipairs(comparison.removed) do
    lines[#lines + 1] = row(md.text(step.step) .. " (removed)", { a = step.seconds })
  end
end

local FORMATS = {}

function FORMATS.md(comparison)
  local lines = {
    "# Two runs of " .. md.text(comparison.b.playbook), "",
    "- A: " .. named(comparison.a), "- B: " .. named(comparison.b),
    comparison.same_playbook and "- the same text of the playbook"
      or "- the playbook was edited between them",
    "", "| | A | B | B against A |", "|---|--:|--:|--:|",
    row("**Recovery time**", comparison.rto), row("**Recovery point**", comparison.rpo),
    row("**From start to end**", comparison.elapsed),
  }
  add_rows(lines, comparison)
  return table.concat(lines, "\n") .. "\n"
end

function FORMATS.json(comparison)
  return core.encode(comparison:plain()) .. "\n"
end

--- A copy of the comparison as a plain table, for JSON.
---@return table
function Comparison:plain()
  return tables.copy(self)
end

--- Renders the comparison in a format.
---@param format "md"|"json"
---@return string
function Comparison:render(format)
  if not FORMATS[format] then
    error(('comparison: format: got %s; allowed: "md", "json"'):format(tostring(format)), 2)
  end
  return FORMATS[format](self)
end

return M
