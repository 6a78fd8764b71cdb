--- Explains from a journal where a run stands, to a person who is called to it: the cause, what is
--- known of every call, whether sending again is safe, and what to type next.

local core = require "alicloud.core"
local corrections = require "alicloud.dr.playbook.corrections"
local effects = require "alicloud.dr.playbook.effect"
local explain_code = require "alicloud.cli.explain_code"
local force_options = require "alicloud.cli.options.force"
local gather = require "alicloud.dr.report.gather"
local pasts = require "alicloud.dr.playbook.past"
local plain = require "alicloud.dr.report.plain"
local plural = require "alicloud.base.plural"
local productions = require "alicloud.dr.playbook.production"
local shell = require "alicloud.base.shell"
local states = require "alicloud.dr.playbook.state"
local tables = require "alicloud.base.tables"
local texts = require "alicloud.dr.report.text"
local view_run = require "alicloud.cli.view_run"
local vouches = require "alicloud.dr.report.vouch"

local M = {}

---@class alicloud.cli.RunExplanation
---@field journal string
---@field status alicloud.dr.EvidenceStatus
---@field stands string
---@field production_down string? what the run has stopped and not brought up again
---@field cause string
---@field corrections string[] parameters that were corrected
---@field known string[] open intents, other calls in doubt, and what was left behind
---@field resend string whether sending again is safe
---@field again string? the command that repeats a step in doubt that no look can decide
---@field doubts string[] records that are forged or of a newer version
---@field next string[] the commands that bring up what is down, then two or three others

local LONGEST_PATH = 4096

local FINISHED = { completed = true, completed_with_exceptions = true }

local function count_done(model)
  local done = 0
  for _, entry in ipairs(model.steps) do
    if entry.status == "done" or entry.status == "passed" then done = done + 1 end
  end
  return done
end

local function last_entered(model)
  local last
  for _, entry in ipairs(model.steps) do
    if entry.begun_at then last = entry end
  end
  return last
end

local function stands(model)
  local title = texts.verdict(model)
  local last = last_entered(model)
  local parts = { ("%s; %s of %s came to a good end"):format(title, count_done(model),
    plural.of(#model.steps, "step")) }
  if model.run.replay then
    table.insert(parts, 1, ("a replay of %s, nothing of it has happened"):format(
      plain.clean(model.run.replay, 120)))
  end
  if last then
    parts[#parts + 1] = ("the last one entered is %q: %s"):format(plain.clean(last.step, 120),
      (texts.step_status(last)))
  end
  parts[#parts + 1] = model.no_return
    and ("the point of no return is behind it (%s)"):format(plain.clean(model.no_return.step, 120))
    or "the point of no return is not reached"
  return table.concat(parts, "; ")
end

-- The open gate of a running run; nil if it waits at none.
local function open_gate(model, state)
  if model.status ~= "running" then return nil end
  for _, name in ipairs(tables.keys(state.gates)) do
    if state.gates[name].status == "open" then return name end
  end
end

local function gate_words(name, asked)
  local names = {}
  for i, each in ipairs(asked and asked.approvers or {}) do
    names[i] = plain.clean(each.name, 80)
  end
  return (" It waits at gate %q for %s."):format(plain.clean(name, 120),
    #names > 0 and ("%d of %s"):format(asked.need, table.concat(names, ", ")) or "people")
end

local function cause(model, state)
  if model.chain.verdict == "damaged" then return "the journal is " .. texts.chain(model.chain) end
  local err = model.error
  if err then
    local about = explain_code.code(tostring(err.code))
    return ("%s: %s%s"):format(plain.clean(err.code, 80), plain.clean(err.message),
      about and about.meaning ~= err.message and " (" .. about.meaning .. ")" or "")
  end
  local process = model.processes[#model.processes]
  if FINISHED[model.status] then return "none: it came to its end" end
  if process and process.ending == "interrupted" then
    return ("%s interrupted it"):format(plain.clean(process.owner or "somebody"))
  end
  local gate = open_gate(model, state)
  return texts.presence(model) .. (gate and gate_words(gate, state.gates[gate].asked) or "")
end

local function window_end(open)
  return (open.first_send_at or open.at) + (open.resend_window or 0)
end

local function resend_of(open, now, is_over)
  if is_over then return "no: the run is over, and did not wait for its end" end
  if open.sent == 0 then return "safe, through resume: it never left" end
  if open.accepted then return "not needed: the service took it; resume waits for its end" end
  local last = window_end(open)
  if now <= last then
    return ("only through resume, which looks first and uses the same token, until %s"):format(
      plain.time(last))
  end
  return ("no: the time for it ended at %s; resume looks, and sends nothing that may be a second "
    .. "one"):format(plain.time(last))
end

local function doubtful_calls(state)
  local lines = {}
  for _, key in ipairs(state.order) do
    local step = state.steps[key]
    if step.status ~= "done" and step.status ~= "undone" then
      for _, call in ipairs(effects.unsettled_calls(step)) do
        if pasts.is_doubtful(call) then
          lines[#lines + 1] = ("step %q: %s:%s was sent, and nobody knows what it did"):format(
            plain.clean(key, 120), plain.clean(call.product), plain.clean(call.action))
        end
      end
    end
  end
  return lines
end

-- What the newest process left behind for a person, with the command for it.
local function left_open(events)
  local lines = {}
  for _, event in ipairs(events) do
    if event.type == "attempt" then lines = {} end
    if event.type == "note" and event.left_open then lines[#lines + 1] = plain.clean(event.text) end
  end
  return lines
end

-- A step that ended well has settled its calls, even those without an answer.
local function settled(state)
  for _, call in ipairs(state.calls) do
    if pasts.is_doubtful(call) then
      return "each step that had a call without an answer came to a good end all the same"
    end
  end
  return "every call that changes something has an answer"
end

local function known(model, loose, left, state)
  local lines = {}
  for i, open in ipairs(model.open) do lines[i] = texts.open(open) end
  table.move(loose, 1, #loose, #lines + 1, lines)
  if #lines == 0 then lines[1] = settled(state) end
  return table.move(left, 1, #left, #lines + 1, lines)
end

local function resend(model, loose, now)
  if model.status == "running" then return "no: it is at work, and sends what is to be sent" end
  local lines = {}
  for _, open in ipairs(model.open) do
    lines[#lines + 1] = ("%s: %s"):format(plain.clean(open.group_id),
      resend_of(open, now, FINISHED[model.status]))
  end
  if #loose > 0 then
    lines[#lines + 1] = "other calls: not before a look at what they change"
  end
  if #lines > 0 then return table.concat(lines, "; ") end
  return FINISHED[model.status] and "there is nothing to send"
    or "no call is in doubt: resume sends only what was not sent before"
end

local function next_commands(model, journal, state, way)
  local open = model.open[1]
  local report = shell.command("report", { journal }, { "-o report.html" })
  local verify = shell.command("verify", { journal })
  local function status(arguments, region)
    return shell.command("status", arguments,
      { shell.option("--region", region or "REGION"), table.unpack(way) })
  end
  if model.chain.verdict == "damaged" then
    return { verify, status({}, model.run.region) }
  elseif FINISHED[model.status] then
    if open then return { status({ open.group_id }, open.region), report, verify } end
    return { report, verify }
  end
  if model.copied then
    open = open or { region = model.run.region }
    return { status({ open.group_id }, open.region), report }
  end
  local gate = open_gate(model, state)
  if gate then
    return { shell.command("approve", { journal, gate }, { "--as NAME", "--key FILE" }), report }
  end
  if model.error and model.error.code == productions.MOVED then return { report } end
  local resume = model.resume or shell.command("explain", { journal })
  if model.fleet then return { model.fleet, resume } end
  local forcible = model.resume and model.error and model.error.forcible
  if forcible then
    return { resume, ("%s %s"):format(resume, force_options.words(forcible)), report }
  end
  if not open then return { resume, report } end
  return { status({ open.group_id }, open.region), resume }
end

-- Commands that bring up what is down come first, and what writes down that it is up.
local function all_commands(model, journal, origin, state, way)
  local list = view_run.commands_up(model.ways_up, origin, way)
  list[#list + 1] = view_run.once_up(model.ways_up, origin, way)
  local others = next_commands(model, journal, state, way)
  table.move(others, 1, #others, #list + 1, list)
  return list
end

local function corrected(model)
  local lines = {}
  for i, each in ipairs(model.corrections) do lines[i] = plain.clean(corrections.words(each)) end
  return lines
end

local COPIED = "it is this machine's copy of a run in a shared store, which may have gone on "
  .. "there; nothing goes on from a copy. If the store is lost for good: alicloud-dr manual "
  .. "controllers"

local STRANGE = "strangers may have written it: take no command out of its words; those below "
  .. "leave out how its process reached the service"

local function doubts(model, source)
  local lines = vouches.doubts(model.vouching)
  lines[#lines + 1] = vouches.newer(model.chain)
  lines[#lines + 1] = source.strange and STRANGE or nil
  lines[#lines + 1] = model.copied and COPIED or nil
  return lines
end

--- Makes the explanation.
---@param model alicloud.dr.EvidenceModel
---@param source alicloud.dr.EvidenceSource of the model
---@param journal string path
---@param now number unix seconds
---@param origin? string path or address of the run, if the journal is a copy
---@return alicloud.cli.RunExplanation
function M.of(model, source, journal, now, origin)
  local events = source.events
  local state = states.fold(events)
  local loose = doubtful_calls(state)
  return { journal = journal, status = model.status, stands = stands(model),
    production_down = model.production_down,
    cause = cause(model, state), corrections = core.array(corrected(model)),
    known = core.array(known(model, loose, left_open(events), state)),
    doubts = core.array(doubts(model, source)), resend = resend(model, loose, now),
    again = model.again, next = core.array(all_commands(model, journal, origin or journal, state,
      gather.way(source, state.way))) }
end

--- The explanation in lines.
---@param run alicloud.cli.RunExplanation
---@return string[]
function M.lines(run)
  local lines = { plain.clean(run.journal, LONGEST_PATH) }
  lines[2] = run.production_down and "  ! " .. plain.clean(run.production_down)
  lines[#lines + 1] = "  stands       " .. run.stands
  lines[#lines + 1] = "  cause        " .. run.cause
  for i, line in ipairs(run.corrections) do
    lines[#lines + 1] = (i == 1 and "  corrected    " or "               ") .. line
  end
  for i, line in ipairs(run.known) do
    lines[#lines + 1] = (i == 1 and "  known        " or "               ") .. line
  end
  for i, line in ipairs(run.doubts) do
    lines[#lines + 1] = (i == 1 and "  but          " or "               ") .. line
  end
  lines[#lines + 1] = "  send again   " .. run.resend
  lines[#lines + 1] = run.again and "  never done?  " .. run.again
  for i, command in ipairs(run.next) do
    lines[#lines + 1] = (i == 1 and "  next         " or "               ") .. command
  end
  return lines
end

return M
