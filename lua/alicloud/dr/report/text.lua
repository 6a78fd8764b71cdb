--- The words of a report, the same in every format that people read.

local core = require "alicloud.core"
local corrections = require "alicloud.dr.playbook.corrections"
local lazy = require "alicloud.base.lazy"
local plain = require "alicloud.dr.report.plain"
local plural = require "alicloud.base.plural"
local subjects = require "alicloud.dr.report.subjects"

---@module "alicloud.dr.report.vouch"
local vouches = lazy.module "alicloud.dr.report.vouch"

local M = {}

---@alias alicloud.dr.Tone "good"|"warn"|"bad"|"plain"

local STATUS = {
  completed = { "Completed", "good" },
  completed_with_exceptions = { "Completed with exceptions", "warn" },
  stopped = { "Stopped", "warn" },
  failed = { "Failed", "bad" },
  rolled_back = { "Rolled back", "warn" },
  running = { "Still running", "plain" },
  interrupted = { "Interrupted", "warn" },
  unfinished = { "Unfinished", "warn" },
}

--- The verdict on the whole run.
---@param model alicloud.dr.EvidenceModel
---@return string title
---@return alicloud.dr.Tone
function M.verdict(model)
  local about = STATUS[model.status] or { plain.clean(model.status), "plain" }
  if #model.vouching.forged == 0 then return about[1], about[2] end
  return about[1] .. " by its own word, and something in it is forged", "bad"
end

local function step_of_error(model)
  for i = #model.steps, 1, -1 do
    local status = model.steps[i].status
    if status == "failed" or status == "expired" then return model.steps[i].step end
  end
  return nil
end

local function at_work(presence)
  local process = presence.process
  if not process then return "It is still running: its lock is held." end
  local who = ("process %s of %s on %s"):format(plain.clean(process.pid),
    plain.clean(process.owner or "?"), plain.clean(process.host))
  local lease = presence.lease
  return ("It is still running: %s, since %s.%s"):format(who, plain.clean(process.since or "?"),
    lease and (" Its lease %s ends in %d s unless it is renewed."):format(lease.id, lease.left)
      or "")
end

--- A sentence on whether a run without an end is at work.
---@param model alicloud.dr.EvidenceModel
---@return string
function M.presence(model)
  local presence = model.presence
  if presence.verdict == "running" then return at_work(presence) end
  if presence.verdict == "unknown" then
    return ("No end is written, and nothing here can tell whether it is still running: %s.")
      :format(plain.clean(presence.why))
  end
  local process = model.processes[#model.processes] or {}
  local ended = presence.shared and "nobody holds it: the session of process %s on %s is over"
    or "process %s is gone"
  return ("It was interrupted after %s: no end is written, and %s."):format(
    plain.time(model.ended_at), ended:format(plain.clean(process.pid or "?"),
      plain.clean(process.host or "?")))
end

local function ending_in_words(model)
  local err = model.error
  if not err then
    return ("It was interrupted at %s; the journal tells how far it had come."):format(
      plain.time(model.ended_at))
  end
  local step = step_of_error(model)
  return ("%s: %s (%s)"):format(step and ("Step %q"):format(plain.clean(step, 120)) or "It ended",
    plain.clean(err.message), plain.clean(err.code, 80))
end

--- One or two sentences below the verdict. How to go on is in `model.resume`, a command that is
--- safe to copy as it is.
---@param model alicloud.dr.EvidenceModel
---@return string
function M.sentence(model)
  local took = plain.duration(model.elapsed)
  if model.status == "completed" then
    return ("It came to its end in %s, and nothing was left out."):format(took)
  elseif model.status == "completed_with_exceptions" then
    return ("It came to its end in %s, with %s."):format(took,
      plural.of(#model.exceptions, "exception"))
  end
  return model.presence and M.presence(model) or ending_in_words(model)
end

--- The state of the journal's chain.
---@param chain alicloud.dr.Chain
---@return string
---@return alicloud.dr.Tone
function M.chain(chain)
  local count = plural.of(chain.records, "record")
  if chain.verdict == "intact" then
    return ("intact: %s, each follows the one before; who wrote them, that does not show")
      :format(count), "good"
  elseif chain.verdict == "torn" then
    return ("torn: %d bytes after %s were never acknowledged"):format(chain.torn_bytes, count),
      "warn"
  elseif chain.verdict == "damaged" then
    return ("damaged: line %d %s. Only the %s before it can be believed"):format(chain.line,
      plain.clean(chain.reason), count), "bad"
  end
  return ("not checked: %s without their sums"):format(count), "plain"
end

local STEP = {
  done = { "done", "good", "✔" }, passed = { "passed", "good", "✔" },
  failed = { "failed", "bad", "✘" }, expired = { "expired", "bad", "✘" },
  refused = { "refused", "bad", "✘" }, broken = { "broken open", "warn", "!" },
  unproven = { "not proven", "bad", "✘" }, unchecked = { "passed, not checked", "warn", "?" },
  skipped = { "skipped", "warn", "–" }, undone = { "undone", "warn", "↶" },
  running = { "under way", "plain", "…" },
  begun = { "begun, no end", "warn", "?" }, open = { "open", "warn", "?" },
}

--- The status of a step or gate.
---@param entry alicloud.dr.EvidenceStep
---@return string word
---@return alicloud.dr.Tone
---@return string mark one character
function M.step_status(entry)
  local about = STEP[entry.status] or { plain.clean(entry.status), "plain", "·" }
  return about[1], about[2], about[3]
end

local function call_line(call)
  local parts = { ("%s:%s"):format(plain.clean(call.product), plain.clean(call.action)) }
  if call.region then parts[#parts + 1] = "in " .. plain.clean(call.region) end
  parts[#parts + 1] = plain.clean(call.outcome or "no answer seen")
  if call.code then parts[#parts + 1] = plain.clean(call.code) end
  if call.request_id then parts[#parts + 1] = "request " .. plain.clean(call.request_id) end
  if call.token then parts[#parts + 1] = "token " .. plain.clean(call.token) .. "…" end
  return table.concat(parts, ", ")
end

local function people(entry)
  local lines = {}
  if entry.need then
    lines[1] = ("%d of %s"):format(entry.need, plain.clean(table.concat(entry.of or {}, ", ")))
  end
  for _, approval in ipairs(entry.approvals or {}) do
    lines[#lines + 1] = vouches.approval(approval)
  end
  for _, asked in ipairs(entry.asked) do
    lines[#lines + 1] = ("%s answered: %s"):format(plain.clean(asked.by or "somebody"),
      plain.clean(asked.answer))
  end
  return lines
end

local function history(entry)
  local lines = {}
  if entry.no_return then lines[#lines + 1] = "point of no return" end
  if #entry.spans > 1 then lines[#lines + 1] = ("begun %d times"):format(#entry.spans) end
  if entry.found then lines[#lines + 1] = "its own check found it done" end
  if entry.why then
    lines[#lines + 1] = ("reason%s: %s"):format(entry.by and ", by " .. plain.clean(entry.by) or "",
      plain.clean(entry.why))
  end
  if entry.err then
    lines[#lines + 1] = ("%s: %s"):format(plain.clean(entry.err.code),
      plain.clean(entry.err.message))
  end
  if entry.undo then lines[#lines + 1] = entry.undo.ok and "undone" or "could not be undone" end
  return lines
end

local RTO_FROM = { outage = " from the outage", sent = " from the first call",
  start = " from the step's beginning" }
local RPO_TO = { outage = " to the outage", accepted = " to the accepted call",
  observed = " to the first look at it, so at most", stop = " to the stop of the old side" }

local function of_result(result)
  local parts = { plain.clean(result.outcome) }
  if result.from and result.to then
    parts[#parts + 1] = ("%s to %s"):format(plain.clean(result.from), plain.clean(result.to))
  end
  if type(result.rto) == "number" then
    parts[#parts + 1] = ("RTO %s%s"):format(plain.duration(result.rto),
      RTO_FROM[result.rto_basis] or "")
  end
  if type(result.rpo) == "number" then
    parts[#parts + 1] = ("RPO %s%s"):format(plain.duration(result.rpo),
      RPO_TO[result.rpo_basis] or "")
  end
  return table.concat(parts, ", ")
end

-- Most names of a kind; all of them are in the JSON format.
local MOST_NAMES = 12

local function names_of(list)
  local names = plain.clean(table.concat(list, ", ", 1, math.min(#list, MOST_NAMES)), 2000)
  return #list > MOST_NAMES and ("%s and %d more"):format(names, #list - MOST_NAMES) or names
end

-- "group pg-orders; pairs pair-1, pair-2; region cn-shanghai".
local function about_whom(named)
  local parts = {}
  for _, kind in ipairs(subjects.KINDS) do
    local list = named[kind[1]]
    if #list > 0 then
      parts[#parts + 1] = ("%s %s"):format(#list == 1 and kind[2] or kind[1], names_of(list))
    end
  end
  return #parts > 0 and table.concat(parts, "; ") or nil
end

local function words_of(output)
  local which = (output.cut and " last" or "")
    .. (output.cut_short and " before it was cut short" or "")
  if output.text == "" then return "it said nothing" .. which end
  return ("it said%s: %s"):format(which, plain.clean(output.text, 8000))
end

local function outputs(entry, lines)
  for _, output in ipairs(entry.outputs) do
    if output.text ~= "" or not output.bytes then lines[#lines + 1] = words_of(output) end
    if output.bytes then
      lines[#lines + 1] = ("it wrote %d bytes, of which %s in %s"):format(output.bytes,
        output.kept == output.bytes and "all are" or ("%d are"):format(output.kept or 0),
        output.file and plain.clean(output.file) or "no file")
    end
  end
end

--- The lines below the name of a step, already clean.
---@param entry alicloud.dr.EvidenceStep
---@return string[]
function M.details(entry)
  local lines = history(entry)
  if entry.result then lines[#lines + 1] = of_result(entry.result) end
  lines[#lines + 1] = about_whom(entry.subjects)
  outputs(entry, lines)
  table.move(people(entry), 1, 1000, #lines + 1, lines)
  for _, call in ipairs(entry.calls) do lines[#lines + 1] = call_line(call) end
  return lines
end

local ENDING = { finished = "came to the end", stopped = "stopped", interrupted = "interrupted",
  killed = "ended without a word", running = "is at work" }

--- One process of the run in words.
---@param process table
---@return string
function M.process(process)
  local words = ("%s (process %s) on %s, from %s: %s"):format(
    plain.clean(process.owner or "?"), plain.clean(process.pid), plain.clean(process.host),
    plain.time(process.at),
    ENDING[process.ending] or "no end is written")
  if process.ended_at then
    words = words .. " after " .. plain.duration(process.ended_at - process.at)
  end
  if process.key then words = words .. "; signs with the key " .. vouches.key(process.key) end
  if process.taken_from then
    words = words .. "; taken over from " .. plain.clean(process.taken_from)
  end
  if process.edited_from then words = words .. "; the playbook had been edited" end
  if process.cut_bytes then
    words = words .. ("; %d bytes of a torn end were cut"):format(process.cut_bytes)
  end
  return words
end

--- An intent without an outcome, in words.
---@param open table
---@return string
function M.open(open)
  local sent = open.sent == 0 and "it certainly never left"
    or open.accepted and ("the service took it (request %s)"):format(plain.clean(open.accepted))
    or ("sent %s, and no answer settles it"):format(open.sent == 1 and "once"
      or open.sent .. " times")
  return ("%s of %s in %s, token %s…: %s"):format(plain.clean(open.verb),
    plain.clean(open.group_id), plain.clean(open.region), plain.clean(open.token), sent)
end

-- A remark on a decision made after a gate was passed: the people who approved did not know of it.
local function unapproved(about)
  return about.behind and (" (after gate %s was passed, so nobody has approved it)"):format(
    plain.clean(about.behind)) or ""
end

--- An accepted loss in words.
---@param loss table
---@return string
function M.loss(loss)
  return ("a loss of up to %s was accepted by %s: %s%s"):format(plain.duration(loss.seconds),
    plain.clean(loss.by), plain.clean(loss.why), unapproved(loss))
end

--- An overruled finding in words.
---@param force table
---@return string
function M.force(force)
  return ("%s was to be overruled, by %s: %s%s"):format(plain.clean(force.code),
    plain.clean(force.by), plain.clean(force.why), unapproved(force))
end

--- A declared outage in words.
---@param outage table
---@return string
function M.outage(outage)
  return ("nothing was written since %s, says %s at %s%s"):format(plain.clean(outage.said),
    plain.clean(outage.by or "?"), plain.time(outage.at), unapproved(outage))
end

--- A change of the mode in words.
---@param mode table
---@return string
function M.mode(mode)
  return ("%s from %s on, by %s%s: %s%s"):format(plain.clean(mode.mode), plain.time(mode.at),
    plain.clean(mode.by or "?"), mode.from and ", left by " .. plain.clean(mode.from) or "",
    plain.clean(mode.why), unapproved(mode))
end

--- The lines that nobody may overlook, the most important first.
---@param model alicloud.dr.EvidenceModel
---@return string[]
function M.attention(model)
  local lines = {}
  if model.chain.verdict == "damaged" then
    lines[1] = "the journal is " .. M.chain(model.chain)
  end
  lines[#lines + 1] = model.production_down and plain.clean(model.production_down)
  lines[#lines + 1] = vouches.newer(model.chain)
  for _, doubt in ipairs(vouches.doubts(model.vouching)) do lines[#lines + 1] = doubt end
  for _, open in ipairs(model.open) do lines[#lines + 1] = "open: " .. M.open(open) end
  for _, loss in ipairs(model.losses) do lines[#lines + 1] = M.loss(loss) end
  for _, force in ipairs(model.forces) do lines[#lines + 1] = M.force(force) end
  for _, each in ipairs(model.corrections) do
    lines[#lines + 1] = plain.clean(corrections.words(each))
  end
  for _, outage in ipairs(model.outages) do lines[#lines + 1] = M.outage(outage) end
  for _, text in ipairs(model.exceptions) do lines[#lines + 1] = plain.clean(text) end
  for _, mode in ipairs(model.modes) do lines[#lines + 1] = M.mode(mode) end
  return lines
end

--- The facts about the run, each as label and value.
---@param model alicloud.dr.EvidenceModel
---@return { [1]: string, [2]: string }[]
function M.about(model)
  local run, list = model.run, {}
  local function add(label, value)
    if value ~= nil then list[#list + 1] = { label, plain.clean(value) } end
  end
  add("Run", run.id)
  add("Kind", ("%s, %s"):format(run.kind, run.mode))
  add("Replay of", run.replay and run.replay .. "; nothing of it has happened")
  add("Incident", run.incident)
  add("Asked for by", run.requester)
  add("Region", run.region)
  add("It was about", about_whom(model.subjects))
  add("Began", plain.time(model.began_at))
  add("Last record", plain.time(model.ended_at))
  add("Playbook file", model.playbook.file)
  add("Playbook digest", model.playbook.digest)
  if type(run.params) == "table" and next(run.params) then
    add("Parameters", core.encode(run.params))
  end
  add("Journal", model.journal)
  add("Last sum", model.chain.head)
  return list
end

return M
