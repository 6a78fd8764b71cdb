--- Asks for consent on the command line: shows what a run that cannot be undone is about, and reads
--- the words that agree to it.

local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local plural = require "alicloud.base.plural"
local prompts = require "alicloud.cli.prompt"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"

---@module "alicloud.dr.model.snapshot"
local snapshots = lazy.module "alicloud.dr.model.snapshot"
---@module "alicloud.dr.playbook.state"
local states = lazy.module "alicloud.dr.playbook.state"
---@module "alicloud.cli.zone"
local zones = lazy.module "alicloud.cli.zone"
---@module "alicloud.dr.playbook.tiers"
local tiers = lazy.module "alicloud.dr.playbook.tiers"
---@module "alicloud.cli.view_group"
local view = lazy.module "alicloud.cli.view_group"
---@module "alicloud.cli.view_tiers"
local view_tiers = lazy.module "alicloud.cli.view_tiers"

local M = {}

--- Asks the person at the terminal for one line.
---@param io alicloud.cli.Io
---@param question string the prompt
---@return string|nil typed without blanks around it; nil at the end of the input
function M.read(io, question)
  return prompts.ask(io, function() io.err(question) end)
end

--- Refuses a command that asks where nobody can answer: it must not hang, and silence is no
--- consent.
---@param args table
---@param io alicloud.cli.Io
---@param what? string text that would be typed (group id)
function M.demand(args, io, what)
  if args.yes or io.input_tty then return end
  options.refuse(("--yes: is missing and there is no terminal to type the %s on; allowed: "
    .. "add --yes, or run it in a terminal"):format(what or "group id"))
end

-- A group that could not be read is shown as such, and asked about: the person may know better.
local function group_lines(io, asked, with_pairs)
  local snapshot = asked.snapshot
  if not snapshot then
    local why = asked.err and "could not be read: " .. terminal.clean(asked.err) or "not looked at"
    return ("  %s   %s\n"):format(terminal.clean(asked.id), why)
  end
  if snapshot.role == "absent" then
    return ("  %s   not listed in %s\n"):format(terminal.clean(asked.id), asked.region)
  end
  local side = asked.to and ("    the side that is meant is %s\n"):format(terminal.clean(asked.to))
  return view.group_line(io, snapshot) .. (side or "")
    .. (with_pairs and view.pair_lines(io, snapshot) or "")
end

local function loss_line(question, asked)
  local snapshot = asked.snapshot
  if not snapshot or snapshot.role == "absent" then return "" end
  if snapshot.role == "primary" then return "" end
  if snapshots.is_failovered(snapshot) then
    return "    it is open at this side already: nothing more will be lost\n"
  end
  local age = snapshots.recover_point_age(snapshot)
  local point = snapshot.recover_point and ("%s%s"):format(zones.moment(snapshot.recover_point),
    age and ", " .. duration.format(age) .. " ago" or "") or "an unknown time"
  if question.kind == "planned" then
    return ("    recovery point %s; the last changes are copied before the move\n"):format(point)
  end
  return ("    what was written since %s will be lost\n"):format(point)
end

-- What has to be typed: the id of the only group, the number of several groups, or, if there are
-- none, the name of the playbook.
local function answer_of(question)
  local groups, name = question.groups, question.playbook
  if #groups == 1 then return groups[1].id, "the group id" end
  if #groups == 0 then return name, ("the playbook's name, %s,"):format(name) end
  return tostring(#groups), ("the number of groups, %d,"):format(#groups)
end

-- With more groups, the pairs and the loss of each would push the rest off the screen.
local MOST_IN_FULL = 3

-- Lines for tiers and groups: the heading, the largest loss and the prompt need the rest of the
-- screen.
local SCREEN = 20

local function show_in_full(io, question)
  for _, asked in ipairs(question.groups) do
    if asked.snapshot or asked.err then
      io.err(group_lines(io, asked, true) .. loss_line(question, asked))
    end
  end
end

local function loses_more(asked, worst)
  local snapshot, other = asked.snapshot, worst and worst.snapshot
  if not snapshot or snapshot.role ~= "secondary" or snapshots.is_failovered(snapshot) then
    return false
  end
  return not other or (snapshot.recover_point or 0) < (other.recover_point or 0)
end

local function worst_of(question)
  local worst
  for _, asked in ipairs(question.groups) do
    if loses_more(asked, worst) then worst = asked end
  end
  return worst
end

local function show_worst(io, question, worst, of_which)
  io.err(fold.hang(io, ("  of %s the worst is %s: %s"):format(of_which, terminal.clean(worst.id),
    loss_line(question, worst):match "%S.*%S"), 4) .. "\n")
end

-- A group in short; on a terminal cut to one line.
local function short_line(io, asked)
  local has_look = asked.snapshot and asked.snapshot.role ~= "absent"
  local text = has_look and view.short_line(asked.snapshot, asked.to)
    or group_lines(io, asked):match "[^\n]*"
  return (io.tty and widths.cut(text, io.columns) or text) .. "\n"
end

-- Shows the groups that were read, as many as there is room for, and the largest loss. Groups that
-- could not be read or are not listed come first.
local function show_in_short(io, question, room)
  local list, others = {}, {}
  for _, asked in ipairs(question.groups) do
    local is_odd = asked.err or asked.snapshot and asked.snapshot.role == "absent"
    if is_odd or asked.snapshot then table.insert(is_odd and list or others, asked) end
  end
  table.move(others, 1, #others, #list + 1, list)
  local shown = #list <= room and #list or room - 1
  for i = 1, shown do io.err(short_line(io, list[i])) end
  if shown < #list then io.err(("  and %d more\n"):format(#question.groups - shown)) end
  local worst, count = worst_of(question), #question.groups
  if worst then
    show_worst(io, question, worst, question.unseen == 0 and "these"
      or ("the first %d of %d"):format(count - question.unseen, count))
  end
end

-- The groups of each tier; nil if the playbook has no tiers.
local function blocks_of(question)
  local blocks = {}
  for _, asked in ipairs(question.groups) do
    local block = blocks[#blocks]
    if not asked.tier then return nil end
    if not block or block.tier ~= asked.tier then
      block = { tier = asked.tier, names = {},
        title = asked.tier == tiers.LAST and "no tier, last" or "tier " .. asked.tier }
      blocks[#blocks + 1] = block
    end
    table.insert(block.names, asked.id)
  end
  return blocks
end

-- Names the groups that were not read for this question.
local function show_unseen(io, question)
  if question.unseen == 0 then return end
  local names = {}
  for _, asked in ipairs(question.groups) do
    if not asked.snapshot and not asked.err then names[#names + 1] = asked.id end
  end
  io.err(fold.hang(io, ("  and %d that are not shown: %s"):format(question.unseen,
    terminal.clean(tables.few(names), 1000)), 4) .. "\n")
end

local function show(io, question)
  local count = #question.groups
  io.err(("  %s moves %s, and there is a point from which it does not come back:\n"):format(
    terminal.clean(question.playbook), plural.of(count, "group")))
  local blocks = blocks_of(question)
  local text, used = "", 0
  if blocks then text, used = view_tiers.text(io, blocks) end
  io.err(text)
  if count <= MOST_IN_FULL then return show_in_full(io, question) end
  show_in_short(io, question, SCREEN - used)
  if not blocks then show_unseen(io, question) end
end

local function asker(io, person, args)
  return function(question)
    local wanted, name = answer_of(question)
    local typed = prompts.ask(io, function()
      show(io, question)
      io.err(("  Type %s to go on: "):format(terminal.clean(name)))
    end, args.client.loop)
    return typed == wanted and "typed" or nil, person
  end
end

--- The hook `confirm` of dr.run; nil for a drill. Refuses a run that has a point of no return where
--- nobody can be asked.
---@param playbook alicloud.dr.Playbook
---@param state alicloud.dr.RunState|nil state of the journal that is resumed
---@param args table with yes, no_ask, kind
---@param io alicloud.cli.Io
---@param person string|nil who is at the terminal
---@return (fun(question: alicloud.dr.RunQuestion): string|nil, string|nil)|nil confirm
function M.of_run(playbook, state, args, io, person)
  local run = state and state.run
  local kind = run and run.kind or args.kind or playbook.kind
  if kind == "drill" then return nil end
  if args.yes or args.no_ask then
    local how = args.yes and "--yes" or "--no-ask"
    return function() return how, person end
  end
  if io.input_tty then return asker(io, person, args) end
  local is_agreed = state and (states.is_agreed(state) or state.is_over)
  if playbook.no_return and not is_agreed then M.demand(args, io) end
  if state and state.declined and not is_agreed then
    options.refuse("--yes: is missing: this run was asked about at a terminal and not agreed to, "
      .. "and here is none to ask at; allowed: add --yes, or run it in a terminal")
  end
  return function() return nil end
end

return M
