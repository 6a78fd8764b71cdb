--- `alicloud-dr record`: converts a recording of `--record` into formats of other programs. Sends
--- nothing.

local core = require "alicloud.core"
local har = require "alicloud.conformance.recording.har"
local reading = require "alicloud.conformance.recording.reading"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local reports = require "alicloud.cli.commands.report"
local terminal = require "alicloud.cli.terminal"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
A recording is made by any command that talks to the service, with --record FILE: a line of JSON for
every request and its answer. Ids, names, keys and addresses have pseudonyms in it, the same in the
whole file, and a line of which it could not be proved that nothing private is left was not written.

HAR 1.2 opens in the network panel of every browser (import) and in most tools for HTTP. A request
that was not answered has the status 0 there, and a field _failure.

Examples:
  alicloud-dr status --region cn-shanghai --record night.jsonl
  alicloud-dr record night.jsonl --har night.har

Exit codes: 0 written, 1 it is no recording, or the file could not be written, 2 usage.]]

function M.configure(command)
  command:argument("recording", "The recording.")
  command:option("--har", "Write HAR 1.2 there."):argname "<file>"
  options.add_json(command)
  command:epilog(EPILOG)
end

local function check(args)
  if not args.har then options.refuse "--har: is missing; allowed: the name of a file" end
  if args.har == "" or args.har == args.recording then
    options.refuse(("--har: got %q; allowed: the name of another file"):format(
      terminal.clean(args.har)))
  end
  reports.refuse_journal("--har", args.har)
  local kept = reading.open(args.har)
  if kept then
    options.refuse(("--har: %s: it is a recording; allowed: another file"):format(
      terminal.clean(args.har)))
  end
end

function M.run(args, io)
  check(args)
  local recording, err = reading.open(args.recording)
  if not recording then return output.fail(io, args, err) end
  local ok, message = core.write_file(args.har, har.of(recording) .. "\n", "private")
  if not ok then
    return output.complain(io, args.json, output.EXIT.failed, { kind = "journal",
      code = "Client.ReportFailed", message = tostring(message), outcome = "not_sent" })
  end
  local counts = { har = args.har, exchanges = #recording.exchanges,
    differences = #recording.differences, dropped = recording.dropped }
  if args.json then return output.json(io, output.EXIT.done, counts) end
  io.out(("  %s: %d exchanges%s\n"):format(terminal.clean(args.har), counts.exchanges,
    counts.dropped > 0 and (", %d left out by the recorder"):format(counts.dropped) or ""))
  return output.EXIT.done
end

return M
