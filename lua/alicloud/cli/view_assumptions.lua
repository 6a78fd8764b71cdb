--- Shows the assumptions of the emulator: what it does, what public sources say about that, and
--- what would decide it; grouped by the strength of the evidence.

local fold = require "alicloud.cli.fold"
local widths = require "alicloud.cli.width"

local M = {}

local COLUMNS = 80
-- Column at which the text beside a label begins.
local MARGIN = 10

local HEADINGS = {
  confirmed = "KNOWN: documents, the vendor's code or published answers show the default.",
  leaning = "LEANING: the public shows something, and not enough.",
  unknown = "UNKNOWN: nothing public tells, or it tells both ways.",
  contradicted = "CONTRADICTED: the service is known to differ from the default.",
}

local INTRODUCTION = "What the emulator assumes of the service, how much the public shows of it, "
  .. "and what would decide it. Change with --assume NAME=VALUE."

local TIERS = "What deciding takes: [read] reads and requests that must be refused, [burst] many "
  .. "reads at once, [drill] a drill of a group, [throwaway] the whole life of blank disks, "
  .. "[cannot] a real incident, [none] nothing, it is the emulator's own."

local function labelled(lines, label, text)
  fold.fill(lines, text, widths.pad("  " .. label, MARGIN), (" "):rep(MARGIN), COLUMNS)
end

local function default_of(switch)
  local values = {}
  for index, value in ipairs(switch.rule.values or { "number" }) do
    values[index] = tostring(value)
  end
  local default = ("%s = %s"):format(switch.name, tostring(switch.default))
  if #values < 2 and switch.rule.values then return default end
  local choice = ("(%s)"):format(table.concat(values, " | "))
  local fits = #default + 3 + #choice <= COLUMNS
  return default .. (fits and "   " or "\n    ") .. choice
end

local function shown(switch, entry)
  if entry.strength ~= "leaning" then return entry.text end
  local leans = entry.toward == switch.default and "the default" or tostring(entry.toward)
  return ("Leans to %s. %s"):format(leans, entry.text)
end

local function add_switch(lines, switch, entry)
  lines[#lines + 1] = default_of(switch)
  labelled(lines, "Does", switch.text)
  labelled(lines, "Public", shown(switch, entry))
  labelled(lines, "Source", entry.source)
  labelled(lines, "Decide", ("%s [%s]"):format(entry.decided_by, entry.tier))
  lines[#lines + 1] = ""
end

--- All assumptions, as text of at most 80 columns.
---@param switches alicloud.emulator.Switch[]
---@param evidence table  alicloud.emulator.evidence
---@return string
function M.text(switches, evidence)
  local lines = {}
  fold.fill(lines, INTRODUCTION, "", "", COLUMNS)
  fold.fill(lines, TIERS, "", "", COLUMNS)
  for _, strength in ipairs(evidence.STRENGTHS) do
    local count = #lines
    lines[count + 1], lines[count + 2], lines[count + 3] = "", HEADINGS[strength], ""
    for _, switch in ipairs(switches) do
      local entry = evidence.of[switch.name]
      if entry.strength == strength then add_switch(lines, switch, entry) end
    end
    -- Each switch ends in an empty line; the next heading brings its own.
    lines[#lines] = nil
    if #lines < count + 3 then lines[count + 2], lines[count + 1] = nil, nil end
  end
  return table.concat(lines, "\n") .. "\n"
end

return M
