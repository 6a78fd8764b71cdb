--- `alicloud-dr verify`: checks whether a journal was edited, cut or reordered, and who vouches for
--- it. Reads files and a store; asks no service.

local core = require "alicloud.core"
local events = require "alicloud.dr.playbook.events"
local fold = require "alicloud.cli.fold"
local journals = require "alicloud.dr.journal"
local keys = require "alicloud.cli.keys"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local output = require "alicloud.cli.output"
local proofs = require "alicloud.dr.playbook.proof"
local reports = require "alicloud.dr.report"
local run_store = require "alicloud.cli.run_store"
local schema = require "alicloud.base.schema"
local states = require "alicloud.dr.playbook.state"
local stores = require "alicloud.dr.store"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"
local vouches = require "alicloud.dr.report.vouch"

---@module "alicloud.dr.playbook.gate"
local gates = lazy.module "alicloud.dr.playbook.gate"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Every line carries the sum of the one before it. Without a key that proves order, and to whoever
kept a head (the last sum, given as --head) that nothing before it is missing or was changed. It
does not prove who wrote the lines: whoever can write the file can make all sums anew.

What makes it proof is kept elsewhere: the head that run prints at its end (--head), or the public
key of whoever ran it (run --sign KEY, then --key here). With --key it has to be signed with it to
its end, so lines that were made anew, and lines that were added, are a failure. That the end was
cut off shows to a head alone.

Approvals and the ends of attempts (run --sign KEY) are signed; each signature is checked against
the key that the journal names, or with --approvers against keys that you hold yourself: lines of
NAME KEY, of approvers and operators; then a gate that these do not prove is a failure. A head that
was handed to a witness (run --anchor) can be compared with what the witness has noted.

Examples:
  alicloud-dr verify orders-5f1d2c3b4a-1.jsonl --head 9f86d081884c7d65
  alicloud-dr verify orders-5f1d2c3b4a-1.jsonl --key 6a1f…
  alicloud-dr verify orders-5f1d2c3b4a-1.jsonl --approvers keys.txt

Exit codes: 0 whole, and nothing is forged; 1 damaged, forged, not proven by the keys of
--key or --approvers, or it could not be read; 2 usage.]]

function M.configure(command)
  command:argument("journal", "The journal: a path, or an address.")
  command:option("--head", "A last sum that was noted (16 digits or more); the journal must "
    .. "contain it."):argname "<sum>"
  command:option("--key", "A public key of 64 hexadecimal digits: the journal must be signed with "
    .. "it, to its end; several where several people ran it."):argname "<key>":count "*"
  command:option("--approvers", "Check signatures against these public keys: lines of NAME KEY.")
    :argname "<file>"
  options.add_json(command)
  command:epilog(EPILOG)
end

local function complain(io, args, message, line)
  return output.complain(io, args.json, output.EXIT.failed, { kind = "journal",
    code = "Client.JournalDamaged", message = message, line = line, outcome = "not_sent" })
end

local function approvals_of(reading, proof)
  local list = core.array {}
  for _, event in ipairs(reading.events) do
    local found = proof.approvals[event]
    if found then
      list[#list + 1] = { gate = event.gate, by = event.by, at = event.approved_at,
        verdict = found.verdict, why = found.why, key = found.key, from = found.from,
        known = found.known }
    end
  end
  return list
end

-- Gates that were broken open, and the person who did it: named in the record, else the run's
-- owner.
local function broken_gates(reading, proof)
  local list, owner = core.array {}, nil
  for _, event in ipairs(reading.events) do
    if event.type == "attempt" then owner = event.owner end
    local found = proof.passes[event]
    if found and found.verdict == "broken" then
      list[#list + 1] = { gate = event.gate, by = event.by or owner, at = event.at,
        why = event.why }
    end
  end
  return list
end

local function object(reading, ending, people, vouching, doubts)
  return { records = #reading.events, head = reading.head, torn_bytes = reading.torn,
    ending = ending and (ending.status or ending.type) or nil, approvals = people.approvals,
    broken = people.broken, ends = vouching.ends, anchors = vouching.anchors,
    vouched = vouching.vouched, forged = vouching.forged, unproven = vouching.unproven,
    newer = reading.newer, doubts = core.array(doubts),
    limits = core.array(tables.copy(vouches.LIMITS)) }
end

local function print_lines(io, lines)
  for _, text in ipairs(lines) do
    io.out(fold.hang(io, "    " .. terminal.clean(text, 4000), 6) .. "\n")
  end
end

local function print_people(io, people)
  for _, approval in ipairs(people.approvals) do
    print_lines(io, { ("gate %s: %s"):format(approval.gate, vouches.approval(approval)) })
  end
  for _, broken in ipairs(people.broken) do
    print_lines(io, { ("gate %s: broken open by %s: %s"):format(broken.gate,
      broken.by or "somebody", broken.why) })
  end
end

local function print_all(io, reading, ending, people, vouching)
  io.out(("  ✔ %d records, each follows the one before\n    head %s\n"):format(#reading.events,
    reading.head))
  if reading.torn > 0 then
    io.out(("    %d bytes at the end were never acknowledged\n"):format(reading.torn))
  end
  io.out(("    %s\n"):format(ending and terminal.clean(ending.status or ending.type)
    or "the run has not ended"))
  print_people(io, people)
  print_lines(io, vouches.lines(vouching, #reading.events))
  print_lines(io, vouches.LIMITS)
  print_lines(io, { vouches.newer(reading) })
end

local function tell(args, io, reading, approvers, wanted)
  local ending = states.fold(reading.events).ending
  local proof = proofs.of(reading.events, reading.sums, approvers)
  local vouching = vouches.of(proof)
  local people = { approvals = approvals_of(reading, proof), broken = broken_gates(reading, proof) }
  local doubts = vouches.doubts(vouching)
  if next(wanted) then
    doubts[#doubts + 1] = vouches.not_signed_by(vouching, reading.events, wanted)
  end
  local code = #doubts > 0 and output.EXIT.failed or output.EXIT.done
  if args.json then
    return output.json(io, code, object(reading, ending, people, vouching, doubts))
  end
  print_all(io, reading, ending, people, vouching)
  for _, text in ipairs(doubts) do
    io.err(("alicloud-dr: %s: %s\n"):format(terminal.clean(args.journal),
      terminal.clean(text, 4000)))
  end
  return code
end

local function wanted_keys(list)
  local wanted = {}
  for _, key in ipairs(list) do
    if not gates.KEY.test(key) then
      options.refuse(("--key: got %s; allowed: %s"):format(schema.show(key), gates.KEY.allowed))
    end
    wanted[key:lower()] = true
  end
  return wanted
end

function M.run(args, io)
  local head = options.text(args, "head", reports.HEAD)
  local approvers = args.approvers and keys.public("--approvers", args.approvers,
    orders.reader(args, io)) or nil
  local wanted = wanted_keys(args.key)
  args.journal = run_store.journal(args.journal)
  local text, err = stores.read(args.journal, run_store.context(io))
  if not text then return output.fail(io, args, err) end
  orders.tell_owner(args.journal, io)
  local reading, damage = events.read(text)
  if not reading then
    return complain(io, args, ("%s: line %d %s"):format(args.journal, damage.line, damage.reason),
      damage.line)
  end
  if head and not journals.has_head(text, head:lower()) then
    return complain(io, args, ("%s: no line has the sum %s: since it was noted, the end was cut "
      .. "off or lines were made anew, or it is of another journal"):format(args.journal, head))
  end
  if not (reading.events[1] and reading.events[1].type == "run") then
    return output.complain(io, args.json, output.EXIT.failed, { kind = "journal",
      code = "Client.JournalEmpty", message = args.journal .. ": holds no run",
      outcome = "not_sent" })
  end
  return tell(args, io, reading, approvers, wanted)
end

return M
