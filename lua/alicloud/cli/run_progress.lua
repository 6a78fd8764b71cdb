--- Shows a run while it goes on, record by record, in lines that fit the terminal.

local corrections = require "alicloud.dr.playbook.corrections"
local decisions = require "alicloud.dr.playbook.decision"
local duration = require "alicloud.base.duration"
local fold = require "alicloud.cli.fold"
local headway_lines = require "alicloud.cli.headway_line"
local keys = require "alicloud.cli.keys"
local shell = require "alicloud.base.shell"
local terminal = require "alicloud.cli.terminal"
local widths = require "alicloud.cli.width"
local zones = require "alicloud.cli.zone"

local M = {}

local NAMES = 28

-- A line with a sign, the step, and its result.
local function marked(io, color, sign, step, words)
  local line = ("  %s %s %s"):format(sign, widths.pad(terminal.clean(step), NAMES), words)
  local text = fold.hang(io, line, 6)
  io.out("  " .. terminal.paint(io, color, sign) .. text:sub(3 + #sign) .. "\n")
end

local function indented(io, text)
  io.out(fold.hang_command(io, "    " .. text, 6) .. "\n")
end

local SHOW = {}

local function holder_words(holder)
  return ("held by %s on %s since %s"):format(terminal.clean(holder.owner),
    terminal.clean(holder.host), terminal.clean(zones.noted(holder.since)))
end

-- Printed for each new holder of the run, and for each new error of the store.
function SHOW.standby(io, event, view)
  local words = event.err and terminal.clean(event.err, 1000)
    or event.holder and holder_words(event.holder) or "held by somebody"
  view.waited = event.waited
  if view.standing == words then return end
  view.standing = words
  io.out(fold.hang(io, ("  %s; standing by"):format(words), 4) .. "\n")
end

function SHOW.attempt(io, event, view)
  if view.standing then
    io.out(("  free after %s of standing by\n"):format(duration.format(math.ceil(view.waited))))
    view.standing = nil
  end
  if event.n > 1 then
    io.out(("  going on, process %d of this run%s%s\n"):format(event.n,
      event.taken_from and ", taken over from " .. terminal.clean(event.taken_from) or "",
      event.edited_from and "; the playbook was edited" or ""))
  end
  view.began = event.at
end

function SHOW.step_begin(_, event, view)
  view.begun[event.step] = event.at
end

function SHOW.step_end(io, event, view)
  local took = event.at - (view.begun[event.step] or event.at)
  if event.ok then
    return marked(io, "green", "✔", event.step, duration.format(took))
  end
  marked(io, "red", "✘", event.step, ("%s: %s"):format(terminal.clean(event.err.code),
    terminal.clean(event.err.message, 1000)))
end

function SHOW.step_skip(io, event)
  marked(io, "yellow", "-", event.step, "skipped: " .. terminal.clean(event.why))
end

function SHOW.intent(io, event)
  io.out(("    %s %s, client token %s…\n"):format(terminal.clean(event.verb),
    terminal.clean(event.intent.group_id), terminal.clean(event.intent.client_token:sub(1, 8))))
end

function SHOW.takeover(io, event)
  indented(io, ("%s: the process before has announced %s, which may still arrive; it is looked "
    .. "for, and sent again in %s at the earliest"):format(terminal.clean(event.step),
    terminal.clean(event.action), duration.format(math.ceil(event.left))))
end

-- Only "settling": the client itself prints that it waits for the cloud in an outage.
function SHOW.waiting(io, event)
  if event.state ~= "settling" then return end
  indented(io, ("%s looks again, for %s at most: %s"):format(terminal.clean(event.step or "it"),
    duration.format(math.ceil(event.left)), terminal.clean(event.reason, 1000)))
end

-- Clearing may take minutes; after Ctrl-C this line shows that the signal was seen.
function SHOW.clearing(io, event)
  local rest = io.ended_by() and " before the end; once more, and it ends at once and leaves the "
    .. "drill open, which costs money" or ""
  indented(io, ("%sclearing the drill of %s%s"):format(io.ended_by() and "interrupted: " or "",
    terminal.clean(event.group_id), rest))
end

function SHOW.gate_open(io, event, view)
  io.out(("  ? gate %s: %d of %s, within %s; each runs:\n    %s\n"):format(
    terminal.clean(event.gate), event.need, terminal.clean(table.concat(event.of, ", "), 1000),
    duration.format(event.expires), shell.command("approve", { view.journal, event.gate },
    { "--as NAME", "--key FILE" })))
  view.asked[event.gate] = event.decision
  keys.tell(io, event)
end

function SHOW.approval(io, event, view)
  local key = decisions.key_of(view.asked[event.gate], event.by)
  io.out(("    approved by %s, key %s\n"):format(terminal.clean(event.by), keys.show(key)))
end

function SHOW.gate_pass(io, event)
  io.out(("  %s gate %s\n"):format(terminal.paint(io, event.broken and "yellow" or "green",
    event.broken and "!" or "✔"), terminal.clean(event.gate)))
end

function SHOW.signed(io, event)
  io.out(("    signed by %s, key %s\n"):format(terminal.clean(event.by), keys.show(event.key)))
end

function SHOW.anchored(io, event)
  io.out(("    witness %s%s\n"):format(event.ok and "" or "failed: ",
    terminal.clean(event.answer or "")))
end

function SHOW.mode(io, event)
  local from = event.from and ", left by " .. terminal.clean(event.from) or ""
  io.out(("  %s from now on, by %s%s: %s\n"):format(terminal.clean(event.mode),
    terminal.clean(event.by or "?"), from, terminal.clean(event.why)))
end

function SHOW.correction(io, event)
  indented(io, terminal.clean(corrections.words(event), 1000))
end

function SHOW.undo_end(io, event)
  marked(io, event.ok and "green" or "red", event.ok and "↶" or "✘", event.step,
    event.ok and "undone" or terminal.clean("not undone: " .. event.err.message, 1000))
end

function SHOW.note(io, event)
  indented(io, terminal.clean(event.text, 1000))
end

function SHOW.headway(_, event, view)
  view.headway(event)
end

SHOW.under_way = SHOW.headway

--- Returns the function that shows the records of a run.
---@param io alicloud.cli.Io
---@param journal string
---@return fun(event: table)
function M.of(io, journal)
  local view = { begun = {}, asked = {}, journal = journal,
    headway = headway_lines.of(io) }
  return function(event)
    local show = SHOW[event.type]
    if show then show(io, event, view) end
  end
end

return M
