--- `alicloud-dr explain`: explains an error code, an assumption or the state of a run, with the
--- next commands.

local core = require "alicloud.core"
local explain_code = require "alicloud.cli.explain_code"
local fold = require "alicloud.cli.fold"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local stores = require "alicloud.dr.store"
local terminal = require "alicloud.cli.terminal"
local zones = require "alicloud.cli.zone"

---@module "alicloud.dr.report.gather"
local gather = lazy.module "alicloud.dr.report.gather"
---@module "alicloud.dr.journal"
local journals = lazy.module "alicloud.dr.journal"
---@module "alicloud.dr.report.source"
local sources = lazy.module "alicloud.dr.report.source"
---@module "alicloud.cli.explain_assumption"
local explain_assumption = lazy.module "alicloud.cli.explain_assumption"
---@module "alicloud.cli.explain_run"
local explain_run = lazy.module "alicloud.cli.explain_run"
---@module "alicloud.cli.run_store"
local run_store = lazy.module "alicloud.cli.run_store"
---@module "alicloud.cli.orders"
local orders = lazy.module "alicloud.cli.orders"
---@module "alicloud.cli.client"
local cli_clients = lazy.module "alicloud.cli.client"

---@type alicloud.cli.Command
local M = {}

-- The column at which texts begin behind their labels.
local MARGIN = 15

local EPILOG = [[
Examples:
  alicloud-dr explain OperationDenied.InvalidStatus
  alicloud-dr explain site_direction
  alicloud-dr explain orders-5f1d2c3b4a-1.jsonl

Exit codes: 0 explained, 1 the journal cannot be read or is damaged, 2 usage.]]

function M.configure(command)
  command:argument("what", "A code as it was printed, e.g. OperationDenied.InvalidStatus or "
    .. "Client.OutcomeUnknown, an assumption as a warning names it, or the journal of a run: a "
    .. "path, or an address.")
  options.add_json(command)
  command:epilog(EPILOG)
end

local function object(explanation)
  local fields = {}
  for name, value in pairs(explanation) do fields[name] = value end
  if fields.operations then fields.operations = core.array(fields.operations) end
  fields.next = core.array(fields.next)
  return fields
end

-- Commands stay on one line, so that they can be copied.
local function write(io, line, cap)
  line = zones.shown(terminal.clean(line, cap))
  local is_command = line:find "^ +[%l ]*  alicloud%-dr "
  io.out((is_command and line or fold.hang(io, line, MARGIN)) .. "\n")
end

local function explain_journal(args, io)
  args.what = run_store.journal(args.what)
  local source, err = sources.open(args.what, nil, nil, run_store.context(io))
  if not source then return output.fail(io, args, run_store.name_copy(err, args.what, io)) end
  orders.tell_owner(args.what, io)
  local model = gather.model(source)
  if not model and source.chain.line then
    return output.fail(io, args, journals.damaged(args.what, source.chain))
  end
  if not model then options.refuse(("journal: %s holds no run"):format(args.what)) end
  local runtime = cli_clients.runtime(io)
  local origin = source.copied and run_store.origin(args.what, runtime.getenv) or nil
  local run = explain_run.of(model, source, args.what, runtime.time(), origin)
  local code = source.chain.verdict == "damaged" and output.EXIT.failed or output.EXIT.done
  if args.json then return output.json(io, code, run) end
  for _, line in ipairs(explain_run.lines(run)) do write(io, line, 2000) end
  return code
end

-- Error codes have a capital letter, names of assumptions have none.
local function find(what)
  local explanation, complaint = explain_code.code(what)
  if explanation or not what:find "^[%l_]+$" then return explanation, complaint end
  return explain_assumption.of(what), complaint
end

-- A slash or the suffix shows a journal; any other name is one if it is a file and no code.
local function is_journal(what)
  return what:find("/", 1, true) ~= nil or what:find("%.jsonl$") ~= nil
    or not find(what) and stores.read(what) ~= nil
end

function M.run(args, io)
  if args.what == "" then options.refuse 'code: got ""; allowed: an error code, or a journal' end
  if is_journal(args.what) then return explain_journal(args, io) end
  local explanation, complaint = find(args.what)
  if not explanation then
    return output.complain(io, args.json, output.EXIT.usage,
      { kind = "usage", code = "Client.Usage", outcome = "not_sent",
        message = complaint .. ", the name of an assumption, or the journal of a run" })
  end
  if args.json then return output.json(io, output.EXIT.done, object(explanation)) end
  for line in tostring(explanation):gmatch "[^\n]+" do write(io, line, 1000) end
  return output.EXIT.done
end

return M
