--- `alicloud-dr approve`: let a gate of a run go on, by a signed line. Works offline.

local approvals = require "alicloud.dr.playbook.approval"
local core = require "alicloud.core"
local mailbox = require "alicloud.cli.mailbox"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local playbooks = require "alicloud.cli.playbooks"
local session = require "alicloud.cli.session"
local terminal = require "alicloud.cli.terminal"

local M = { name = "approve", summary = "Approve a gate of a run, or make a key for that." }

local EPILOG = [[
Once, each approver makes a key and gives the printed line to whoever keeps the approvers' file:
  alicloud-dr approve --new-key ~/.ssh/alicloud-dr.key --as dba

Then, while a run waits, on any machine with its journal or a copy of it:
  alicloud-dr approve orders-5f1d2c3b4a-1.jsonl promote --as dba --key ~/.ssh/alicloud-dr.key

With --print the signed line is printed instead of left for the run; whoever has the journal hands
it over with --line. An approval is for one gate of one run of one text of the playbook; it expires.

Exit codes: 0 done, 1 failed, 2 usage.]]

---@param command table of argparse
function M.configure(command)
  command:argument "journal":args "?":description "The journal of the run, or a copy."
  command:argument "gate":args "?":description "The gate."
  command:option "--as":target "requester":argname "<name>"
    :description "Who approves; else $USER."
  command:option "--key":argname "<file>":description "The approver's key."
  command:option "--new-key":argname "<file>":description "Make a key and print its public half."
  command:option "--line":argname "<json>":description "Hand over a line that was signed before."
  command:flag "--print":description "Print the signed line and leave it to nobody."
  options.add_json(command)
  command:epilog(EPILOG)
end

local FOREIGN_BITS = tonumber("077", 8)

local function make_key(args, io, person)
  local seed = core.random_hex(32)
  local file <close>, message = core.open_file(args.new_key, "create")
  local ok = file ~= nil
  if ok then ok, message = file:append(seed .. "\n") end
  if ok then ok, message = file:sync() end
  if not ok then
    return output.complain(io, args.json, output.EXIT.failed, { kind = "journal",
      code = "Client.KeyFailed", message = "--new-key: " .. message, outcome = "not_sent" })
  end
  local public = core.ed25519_public(seed)
  if args.json then return output.json(io, output.EXIT.done, { name = person, key = public }) end
  io.out(("%s %s\n"):format(person, public))
  return output.EXIT.done
end

local function read_key(path)
  if not path then options.refuse "--key: is missing" end
  local file <close>, message = core.open_file(path, "read")
  if not file then options.refuse("--key: " .. message) end
  local about = file:stat()
  if not about.own or about.mode & FOREIGN_BITS ~= 0 then
    options.refuse(("--key: %s may be read by others; chmod 600 it"):format(path))
  end
  local seed = file:read(0, 200):match("^%s*(%x+)%s*$")
  if not seed or #seed ~= 64 then
    options.refuse(("--key: %s is no key; make one with --new-key"):format(path))
  end
  return core.secret(seed)
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

-- Somebody copied it from a mail or a chat: of what was cut there the run would take no notice.
local function checked_line(line, state)
  local approval = not line:find("%c") and core.decode(line)
  local fits = type(approval) == "table" and approval.type == "approval"
    and approval.run == state.run.run_id and approvals.is_whole(approval)
  if fits then return line end
  options.refuse "--line: allowed: one line that approve --print has printed for this run"
end

local function signed_line(args, state, person, now)
  if args.line then return checked_line(args.line, state) end
  demand_open(state, args.gate)
  if person == state.run.requester then
    options.refuse(("--as: %s asked for this run and cannot approve it"):format(person))
  end
  local seed <close> = read_key(args.key)
  return core.encode(approvals.sign({ run = state.run.run_id, playbook = state.digest,
    gate = args.gate, by = person, at = math.floor(now) }, seed))
end

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local runtime = session.runtime(io)
  local person = playbooks.person(args, runtime.getenv)
  if not person then options.refuse "--as: is missing" end
  if args.new_key then return make_key(args, io, person) end
  if not args.journal then options.refuse "journal: is missing" end
  local state, err = mailbox.read(args.journal)
  if not state then return output.fail(io, args, err) end
  local line = signed_line(args, state, person, runtime.time())
  if args.print then
    io.out(line .. "\n")
    return output.EXIT.done
  end
  local ok
  ok, err = mailbox.leave(args.journal, line)
  if not ok then return output.fail(io, args, err) end
  if args.json then
    return output.json(io, output.EXIT.done, { approved = core.decode(line) })
  end
  io.out(("  ✔ left for the run: %s\n"):format(terminal.clean(line, 1000)))
  return output.EXIT.done
end

return M
