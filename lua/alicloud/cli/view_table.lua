--- Shows the groups of a region as a table, with their names and with pairs that differ.

local duration = require "alicloud.base.duration"
local plural = require "alicloud.base.plural"
local snapshots = require "alicloud.dr.model.snapshot"
local states = require "alicloud.dr.model.states"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"

local M = {}

local clean = terminal.clean

local GAP = "   "
local MOST_NAMED = 3

local COLUMNS = { "GROUP", "NAME", "DIRECTION", "STATUS", "PAIRS", "RECOVERY POINT",
  "THIS REGION IS" }

local function pair_count(snapshot)
  local count = snapshot.pair_number or #snapshot.pairs
  return plural.of(count, "pair")
end

-- The oldest recovery point of the pairs; none while a pair has none.
local function recovery_point(snapshot)
  if snapshots.count_unsynced(snapshot) > 0 then return "none" end
  local age = snapshots.recover_point_age(snapshot)
  if age then return duration.format(age) .. " ago" end
  return snapshot.point_doubt and "unclear" or snapshot.recover_point and "age unknown" or "none"
end

local function row_of(snapshot)
  return {
    clean(snapshot.group_id, 40), widths.cut(clean(snapshot.name or ""), 30),
    clean(snapshots.direction(snapshot), 80), clean(snapshot.status, 30),
    tostring(snapshot.pair_number or #snapshot.pairs),
    recovery_point(snapshot),
    snapshot.role .. (snapshot.role == "both" and " sites" or " site"),
  }
end

local function is_usual(snapshot, pair)
  return states.follows(snapshot.status, pair.status)
    or states.follows(pair.status, snapshot.status)
end

local function add_odd_pairs(list, snapshot)
  local is_synced = snapshots.count_unsynced(snapshot) == 0
  for _, pair in ipairs(snapshot.pairs) do
    if not is_usual(snapshot, pair) then
      list[#list + 1] = ("%s is %s"):format(pair.id, pair.status == "" and "without a status"
        or pair.status)
    elseif not snapshots.same_place(pair.from, snapshot.from)
      or not snapshots.same_place(pair.to, snapshot.to) then
      list[#list + 1] = ("%s goes %s"):format(pair.id, snapshots.direction(pair))
    elseif not is_synced and not pair.recover_point then
      list[#list + 1] = ("%s has no recovery point"):format(pair.id)
    end
  end
end

--- The pairs in which a group is not as its record says; nil if there are none.
---@param snapshot alicloud.dr.Snapshot
---@return string|nil one line
function M.difference(snapshot)
  local list = {}
  list[1] = snapshots.pair_set_fault(snapshot)
  add_odd_pairs(list, snapshot)
  local more = #list - MOST_NAMED
  if more > 0 then list[MOST_NAMED + 1] = ("%d more differ"):format(more) end
  return #list > 0 and clean(table.concat(list, ", ", 1, math.min(#list, MOST_NAMED + 1)), 1000)
    or nil
end

local function widest(rows)
  local columns = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do columns[i] = math.max(columns[i] or 0, widths.of(cell)) end
  end
  return columns
end

-- Joins the cells of the columns that are used: without names that column is left out.
local function line_of(row, columns, used)
  local cells = {}
  for _, i in ipairs(used) do cells[#cells + 1] = widths.pad(row[i], columns[i]) end
  return "  " .. table.concat(cells, GAP):gsub("%s+$", "")
end

local function note(io, snapshot)
  local difference = M.difference(snapshot)
  return difference and ("      %s %s\n"):format(terminal.mark(io, "warn"), difference) or ""
end

--- Joins parts in lines of at most so many columns.
---@param parts { text: string, width?: integer }[] `width` is needed for a text with colours
---@param indent string begins each line
---@param columns integer the most that a line takes
---@param gap? string between two parts
---@return string
function M.wrap(parts, indent, columns, gap)
  gap = gap or GAP
  local lines, length = {}, nil
  for _, part in ipairs(parts) do
    local size = part.width or widths.of(part.text)
    if length and length + #gap + size <= columns then
      lines[#lines], length = lines[#lines] .. gap .. part.text, length + #gap + size
    else
      lines[#lines + 1], length = indent .. part.text, #indent + size
    end
  end
  return table.concat(lines, "\n")
end

-- Two lines per group for a narrow terminal: facts with their names instead of columns.
local function stacked(io, list, rows)
  local columns, lines = widest(rows), {}
  local used = columns[2] > 0 and { 1, 2, 4 } or { 1, 4 }
  for i, snapshot in ipairs(list) do
    local row = rows[i]
    local facts = M.wrap({ { text = row[3] }, { text = pair_count(snapshot) },
      { text = snapshots.recovery_point_text(snapshot) }, { text = row[7] } }, "      ", io.columns)
    lines[i] = line_of(row, columns, used) .. "\n" .. facts .. "\n" .. note(io, snapshot)
  end
  return table.concat(lines)
end

--- The table of groups; two lines per group where it does not fit the terminal. A warning below a
--- group names pairs that differ.
---@param io alicloud.cli.Io
---@param list alicloud.dr.Snapshot[]
---@return string
function M.groups(io, list)
  local rows = {}
  for i, snapshot in ipairs(list) do rows[i] = row_of(snapshot) end
  local used = widest(rows)[2] > 0 and { 1, 2, 3, 4, 5, 6, 7 } or { 1, 3, 4, 5, 6, 7 }
  local columns = widest { COLUMNS, table.unpack(rows) }
  local lines, longest = { line_of(COLUMNS, columns, used) .. "\n" }, 0
  for i, snapshot in ipairs(list) do
    local line = line_of(rows[i], columns, used)
    longest = math.max(longest, widths.of(line))
    lines[i + 1] = line .. "\n" .. note(io, snapshot)
  end
  longest = math.max(longest, widths.of(lines[1]) - 1)
  if io.tty and longest > io.columns then return stacked(io, list, rows) end
  return table.concat(lines)
end

return M
