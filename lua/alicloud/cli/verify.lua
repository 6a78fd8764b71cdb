--- `alicloud-dr verify`: was a journal edited, cut or reordered? Reads one file, asks nobody.

local events = require "alicloud.dr.playbook.events"
local files = require "alicloud.dr.store.file"
local journals = require "alicloud.dr.journal"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local output = require "alicloud.cli.output"
local states = require "alicloud.dr.playbook.state"
local terminal = require "alicloud.cli.terminal"

local M = { name = "verify", summary = "Find an edited, cut or reordered line of a journal." }

local EPILOG = [[
Every line carries the sum of the one before it. What no chain can show is that whole lines are
missing at the end: for that, note the last sum when a run ends and give it as --head.

Example:
  alicloud-dr verify orders-5f1d2c3b4a-1.jsonl --head 9f86d081884c7d65

Exit codes: 0 whole, 1 damaged, or it could not be read, 2 usage.]]

---@param command table of argparse
function M.configure(command)
  command:argument "journal":description "The journal."
  command:option "--head":argname "<sum>"
    :description "A last sum that was noted; the journal must contain it."
  options.add_json(command)
  command:epilog(EPILOG)
end

local function read_head(args)
  local head = args.head
  if head and not (head:find("^%x+$") and #head >= 8 and #head <= 64) then
    options.refuse(("--head: got %q; allowed: 8 to 64 hexadecimal digits"):format(head))
  end
  return head and head:lower()
end

local function complain(io, args, message, line)
  return output.complain(io, args.json, output.EXIT.failed, { kind = "journal",
    code = "Client.JournalDamaged", message = message, line = line, outcome = "not_sent" })
end

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  local head = read_head(args)
  local text, err = files.read(args.journal)
  if not text then return output.fail(io, args, err) end
  orders.tell_owner(args.journal, io)
  local reading, damage = events.read(text)
  if not reading then
    return complain(io, args, ("%s: line %d %s"):format(args.journal, damage.line, damage.reason),
      damage.line)
  end
  if head and not journals.has_head(text, head) then
    return complain(io, args, ("%s: no line has the sum %s: the end was cut off"):format(
      args.journal, head))
  end
  local ending = states.fold(reading.events).ending
  if args.json then
    return output.json(io, output.EXIT.done, { records = #reading.events, head = reading.head,
      torn_bytes = reading.torn, ending = ending and (ending.status or ending.type) or nil })
  end
  io.out(("  ✔ %d records, each follows the one before\n    head %s\n"):format(#reading.events,
    reading.head))
  if reading.torn > 0 then
    io.out(("    %d bytes at the end were never acknowledged\n"):format(reading.torn))
  end
  io.out(("    %s\n"):format(ending and terminal.clean(ending.status or ending.type)
    or "the run has not ended"))
  return output.EXIT.done
end

return M
