--- `--events` and `--on-event`: where the events of a change or a run go.

local schema = require "alicloud.base.schema"
local terminal = require "alicloud.cli.terminal"

local M = {}

local STDOUT, HIGHEST = 1, 65535

--- Adds both options.
---@param command table of argparse
function M.add(command)
  command:option("--events", "Write each event as a line of JSON to the end of this file, to a "
    .. "FIFO or to a descriptor by its number; - is standard output, and all else goes to standard "
    .. "error then."):argname "<file>"
  command:option("--on-event", "Start this command line with sh for each event ($ALICLOUD_DR_TYPE, "
    .. "$ALICLOUD_DR_EVENT); what becomes of it changes nothing."):argname "<cmd>"
end

--- The target of `--events`.
---@param args table
---@param refuse fun(message: string) raises
---@return string|integer|nil where a path, or a descriptor
function M.target(args, refuse)
  local typed = args.events
  if typed == nil then return nil end
  local number = typed == "-" and STDOUT or typed:match "^%d+$" and math.tointeger(tonumber(typed))
  if number and (number < STDOUT or number > HIGHEST) or typed == "" or typed:find "%z" then
    refuse(("--events: got %s; allowed: a file, a descriptor from 1 on, or -"):format(
      schema.show(typed)))
  end
  if number == STDOUT and args.json then
    refuse(("--events: got %s and --json, which both write to standard output; allowed: "
      .. "another place for the events"):format(terminal.clean(typed)))
  end
  return number or typed
end

--- The command line that is started for each event.
---@param args table
---@param refuse fun(message: string) raises
---@return string|nil
function M.program(args, refuse)
  if args.on_event and not args.on_event:find "%S" then
    refuse '--on-event: is empty; allowed: a command line for sh'
  end
  return args.on_event
end

return M
