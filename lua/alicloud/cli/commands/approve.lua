--- `alicloud-dr approve`: signs a line that lets a gate of a run pass. Works offline. What is
--- signed is shown in words before the key is read.

local approvals = require "alicloud.dr.playbook.approval"
local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local decisions = require "alicloud.dr.playbook.decision"
local keys = require "alicloud.cli.keys"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local run_inbox = require "alicloud.cli.run_inbox"
local run_store = require "alicloud.cli.run_store"
local states = require "alicloud.dr.playbook.state"
local terminal = require "alicloud.cli.terminal"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Once, each approver makes a key and gives the printed line to whoever keeps the approvers' file:
  alicloud-dr approve --new-key ~/.ssh/alicloud-dr.key --as dba

Then, while a run waits, on any machine with its journal or a copy of it:
  alicloud-dr approve orders-5f1d2c3b4a-1.jsonl promote --as dba \
    --key ~/.ssh/alicloud-dr.key

What is signed is shown first: run, gate, playbook and its digest, groups and directions,
parameters, kind and mode, accepted loss, who asks, and who may approve with which key. On a
terminal it asks before it signs; --yes signs without that question. The run takes an approval only
for what it asks itself, so one given on an edited copy of the journal opens nothing. It expires.

With --print the signed line is printed instead of left for the run, and what is signed goes to
standard error; whoever has the journal hands the line over with --line.

Exit codes: 0 done, 1 failed, 2 usage.]]

function M.configure(command)
  command:argument("journal", "The journal of the run, or a copy: a path, or an address.")
    :args "?"
  command:argument("gate", "The name of the gate that the run waits at."):args "?"
  command:option("--as", "Who approves; else $USER."):target "requester":argname "<name>"
  command:option("--key", "The approver's key, as --new-key has made it."):argname "<file>"
  command:option("--new-key", "Make a key and print its public half."):argname "<file>"
  command:option("--line", "Hand over a line that was signed with --print."):argname "<json>"
  command:flag("--print", "Print the signed line and leave it to nobody.")
  command:flag("-y --yes", "Sign without a question; what is signed is shown all the same.")
  options.add_json(command)
  command:epilog(EPILOG)
end

local function make_key(args, io, person)
  local public, message = keys.make(args.new_key)
  if not public then
    return output.complain(io, args.json, output.EXIT.failed, { kind = "journal",
      code = "Client.KeyFailed", message = "--new-key: " .. message, outcome = "not_sent" })
  end
  if args.json then return output.json(io, output.EXIT.done, { name = person, key = public }) end
  io.out(("%s %s\n"):format(person, public))
  return output.EXIT.done
end

local function demand_open(state, name)
  local open = {}
  for gate, about in pairs(state.gates) do
    if about.status == "open" then open[#open + 1] = gate end
  end
  table.sort(open)
  local gate = state.gates[name]
  if gate and gate.status == "open" then return end
  options.refuse(("gate: got %q; allowed: %s"):format(tostring(name),
    #open > 0 and table.concat(open, ", ") or "an open gate; none is open"))
end

-- Checks a line from --print: a person may have cut it while copying, and the run would ignore it.
local function checked_line(line, state, now)
  local approval = not line:find("%c") and core.decode(line)
  local fits = type(approval) == "table" and approval.type == "approval"
    and approval.run == state.run.run_id and approvals.is_whole(approval)
  if not fits then
    options.refuse "--line: allowed: one line that approve --print has printed for this run"
  end
  local gate = state.gates[approval.gate]
  local decision = gate and gate.decisions[approval.decision]
  if not decision then
    options.refuse("--line: it was signed for something else than this run asks: for a copy of "
      .. "the journal that says something else, or before the decision changed; ask for it anew")
  end
  local fault = approvals.fault(approval, { decision = decision, now = now,
    barred = states.barred(state) })
  if fault then
    options.refuse(("--line: of %s: %s; the run would not take it: ask for it anew"):format(
      terminal.clean(approval.by), terminal.clean(fault)))
  end
  return line
end

-- The decision of a gate; refuses one that contradicts the run's records: nobody may be shown one
-- thing and sign another.
local function decision_of(state, name)
  local decision = state.gates[name].asked
  if not decision then
    options.refuse(("journal: gate %s does not say what is decided: an older version has opened "
      .. "it; resume the run with this one"):format(terminal.clean(name)))
  end
  local field = decision.gate ~= name and "gate" or decisions.contradiction(decision, state)
  if not field then return decision end
  options.refuse(("journal: the %s of what gate %s asks is not the one that the run's own records "
    .. "say: the journal was edited, or the run is about to ask anew; nothing is signed. Look "
    .. "again: alicloud-dr explain JOURNAL"):format(field, terminal.clean(name)))
end

local function demand_approver(decision, person, state)
  local barred = states.barred(state)
  for _, name in ipairs(barred.names) do
    if person == name then
      options.refuse(("--as: %s asked for this run and cannot approve it"):format(person))
    end
  end
  local key = decisions.key_of(decision, person)
  if key then return key end
  local names = {}
  for i, each in ipairs(decision.approvers) do names[i] = terminal.clean(each.name) end
  options.refuse(("--as: got %q; allowed: %s"):format(person, table.concat(names, ", ")))
end

local MARGIN, COLUMNS = 15, 80

-- Folds a value of any length: all of it is signed, so all of it is shown.
local function wrap(label, value)
  local lines, rest = {}, terminal.clean(value, math.huge)
  local room = COLUMNS - MARGIN
  repeat
    local last = utf8.offset(rest, room + 1)
    local piece = last and last <= #rest and (rest:sub(1, last - 1):match "^(.+) " or rest:sub(1,
      last - 1)) or rest
    lines[#lines + 1] = ("  %-13s%s\n"):format(#lines == 0 and label or "", piece)
    rest = rest:sub(#piece + 1):gsub("^ ", "")
  until rest == ""
  return table.concat(lines)
end

local function show(args, io, decision, state, name)
  local write = (args.print or args.json) and io.err or io.out
  write "What you sign:\n"
  for _, line in ipairs(decisions.words(decision)) do write(wrap(line[1], line[2])) end
  if state.owner and state.owner ~= decision.requester then write(wrap("run by", state.owner)) end
  local from = state.gates[name].keys_from
  if from then write(wrap("keys from", from)) end
end

local function confirm(args, io)
  if args.yes or not io.input_tty then return true end
  io.err "  Sign this? y/N: "
  return (io.read_line() or ""):lower():find "^%s*y" ~= nil
end

local function signed_line(args, io, state, person, now)
  if args.line then return checked_line(args.line, state, now) end
  demand_open(state, args.gate)
  local decision = decision_of(state, args.gate)
  local public = demand_approver(decision, person, state)
  show(args, io, decision, state, args.gate)
  if not confirm(args, io) then return nil end
  local seed <close> = keys.private("--key", args.key)
  local own = core.ed25519_public(seed)
  if own ~= public:lower() then
    options.refuse(("--key: %s is the key %s, but the gate knows %s by %s; give the other file, or "
      .. "the line \"%s %s\" to whoever keeps the approvers' keys"):format(
      terminal.clean(args.key), keys.show(own), terminal.clean(person), keys.show(public),
      terminal.clean(person), own))
  end
  return core.encode(approvals.sign(decision, person, math.floor(now), seed))
end

local UNSIGNED = { kind = "state", code = "Client.NotConfirmed", outcome = "not_sent",
  message = "nothing was signed" }

local HAND_OVER = "where you may not read it, ask whoever runs it for a copy, sign that with "
  .. "--print, and let him hand the line over with --line"

function M.run(args, io)
  local runtime = cli_clients.runtime(io)
  local person = options.person(args, runtime.getenv)
  if not person then options.refuse "--as: is missing" end
  if args.new_key then return make_key(args, io, person) end
  if not args.journal then options.refuse "journal: is missing" end
  args.journal = run_store.journal(args.journal)
  local state, err = run_inbox.read(args.journal, run_store.context(io))
  if not state then
    if err.errno == "EACCES" then err.hint = HAND_OVER end
    return output.fail(io, args, err)
  end
  local line = signed_line(args, io, state, person, runtime.time())
  if not line then return output.complain(io, args.json, output.EXIT.failed, UNSIGNED) end
  if args.print then
    io.out(line .. "\n")
    return output.EXIT.done
  end
  local ok
  ok, err = run_inbox.post(args.journal, line, run_store.context(io))
  if not ok then return output.fail(io, args, err) end
  if args.json then
    return output.json(io, output.EXIT.done, { approved = core.decode(line) })
  end
  io.out(("  ✔ left for the run: %s\n"):format(terminal.clean(line, 1000)))
  return output.EXIT.done
end

return M
