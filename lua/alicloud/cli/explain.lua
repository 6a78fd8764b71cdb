--- `alicloud-dr explain`: what an error code means, and the next two commands.

local core = require "alicloud.core"
local explain = require "alicloud.explain"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local terminal = require "alicloud.cli.terminal"

local M = {
  name = "explain",
  summary = "Say what an error code means: cause, what is known, whether sending again is safe.",
}

---@param command table of argparse
function M.configure(command)
  command:argument "code"
    :description "As it was printed, e.g. OperationDenied.InvalidStatus or Client.OutcomeUnknown."
  options.add_json(command)
end

local function object(explanation)
  local fields = {}
  for name, value in pairs(explanation) do fields[name] = value end
  fields.operations, fields.next = core.array(fields.operations), core.array(fields.next)
  return fields
end

--- Runs the command.
---@param args table
---@param io alicloud.cli.Io
---@return integer exit_code
function M.run(args, io)
  if args.code == "" then options.refuse 'code: got ""; allowed: an error code' end
  local explanation, complaint = explain.code(args.code)
  if not explanation then
    return output.complain(io, args.json, output.EXIT.usage,
      { kind = "usage", code = "Client.Usage", message = complaint, outcome = "not_sent" })
  end
  if args.json then return output.json(io, output.EXIT.done, object(explanation)) end
  for line in tostring(explanation):gmatch "[^\n]+" do
    io.out(terminal.clean(line, 1000) .. "\n")
  end
  return output.EXIT.done
end

return M
