--- `alicloud-dr report`: writes the evidence of a run from its journal; asks no service.

local core = require "alicloud.core"
local dr = require "alicloud.dr"
local json = require "alicloud.cli.json"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local orders = require "alicloud.cli.orders"
local output = require "alicloud.cli.output"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.keys"
local keys = lazy.module "alicloud.cli.keys"
---@module "alicloud.cli.markdown"
local markdown = lazy.module "alicloud.cli.markdown"
---@module "alicloud.cli.run_store"
local run_store = lazy.module "alicloud.cli.run_store"
---@module "alicloud.dr.report"
local reports = lazy.module "alicloud.dr.report"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Declared and achieved recovery time and point, each step with its times, calls and request ids, who
approved, what was skipped and why, who resumed it, and whether the journal is whole. A damaged
journal is reported up to the damage, which comes first. Of a run whose end is not written it says
whether it is still running, and which process that is, or when it was interrupted and how to go on;
on another machine than the run's that cannot be known, and it says so. On a terminal Markdown is
shown as `manual` shows it, by $PAGER; in a pipe and in a file it is as it is.

Examples:
  alicloud-dr report orders-5f1d2c3b4a-1.jsonl
  alicloud-dr report orders-5f1d2c3b4a-1.jsonl -o drill.html
  alicloud-dr report orders-5f1d2c3b4a-1.jsonl --format junit >drill.xml
  alicloud-dr report --compare orders-5f1d2c3b4a-1.jsonl \
    orders-5f1d2c3b4a-2.jsonl

Exit codes: 0 the report was made, 1 the journal is damaged or something could not be read or
written, 2 usage.]]

local BY_SUFFIX = { html = "html", htm = "html", md = "md", xml = "junit", json = "json" }

--- The suffixes that choose a format.
M.SUFFIXES = ".html, .md, .xml (JUnit) or .json"

function M.configure(command)
  command:argument("journal", "The journal, a path or an address; two of them with --compare.")
    :args "1-2"
  command:option("--format", "Form of the report; else by the suffix of --output, else md.")
    :choices(reports.FORMATS)
  command:option("-o --output", "Write it there, not through a link; - prints it."):argname "<file>"
  command:flag("--compare", "Put two runs beside each other (md or json).")
  command:option("--head", "A last sum that was noted; the journal must contain it.")
    :argname "<sum>"
  command:option("--approvers", "Check signatures against these public keys: lines of NAME KEY.")
    :argname "<file>"
  options.add_json(command)
  command:epilog(EPILOG)
end

--- The format that a file's suffix chooses; refuses other suffixes.
---@param field string
---@param path string|nil
---@return string|nil format
function M.check_file(field, path)
  if path == nil then return nil end
  local format = BY_SUFFIX[(path:match("%.(%w+)$") or ""):lower()]
  if not format then
    options.refuse(("%s: got %q; allowed: a file that ends in %s"):format(field,
      terminal.clean(path), M.SUFFIXES))
  end
  return format
end

-- Whether a file is a journal, which a mistyped --output must not overwrite.
local function is_journal(path)
  local file <close> = core.open_file(path, "read")
  return file ~= nil and file:read(0, 18) == '{"seq":1,"prev":"0'
end

--- Refuses to write to a journal.
---@param field string
---@param path string
function M.refuse_journal(field, path)
  if is_journal(path) then
    options.refuse(("%s: %s: it is a journal; allowed: another file"):format(field,
      terminal.clean(path)))
  end
end

--- Refuses a file that could not be written when the run has ended, which would be too late. Also
--- loads the module that will write it.
---@param field string
---@param path string|nil
function M.check_target(field, path)
  local format = M.check_file(field, path)
  if not format then return end
  reports.writer(format)
  local file <close>, message, code = core.open_file(path, "read")
  local refused = not file and code ~= "ENOENT" and code ~= "EACCES" and message
    or is_journal(path) and path .. ": it is a journal"
  if refused then
    options.refuse(("%s: %s; allowed: the name of a file that is to be replaced, or of none")
      :format(field, refused))
  end
end

--- Writes the text of a report to a file.
---@param path string
---@param text string
---@return boolean|nil ok
---@return any why
function M.write(path, text)
  if is_journal(path) then return nil, path .. ": is a journal, and is not written over" end
  return core.write_file(path, text, "shared")
end

-- The report as text; JSON is escaped so that it is safe to print.
local function text_of(subject, format)
  if format == "json" then
    return json.encode(tables.merged(subject:plain(), { schema = output.SCHEMA })) .. "\n"
  end
  return subject:render(format)
end

--- Writes the report of a journal to a file; the suffix chooses the format.
---@param journal string
---@param path string
---@param io alicloud.cli.Io
---@return boolean|nil ok
---@return any why
function M.save(journal, path, io)
  local evidence, err = dr.report(journal, { stores = run_store.context(io) })
  if not evidence then return nil, err end
  return M.write(path, text_of(evidence, M.check_file("--report", path)))
end

--- Where the report is, or the command that writes one.
---@param journal string
---@param path string|nil
---@return string
function M.pointer(journal, path)
  if path then return "report  " .. terminal.clean(path) end
  return "report: " .. shell.command("report", { journal }, { "-o report.html" })
end

local function read_all(args, io)
  local found = {}
  local approvers = args.approvers and keys.public("--approvers", args.approvers,
    orders.reader(args, io))
  for i, path in ipairs(args.journal) do
    args.journal[i] = run_store.journal(path)
    local evidence, err = dr.report(args.journal[i],
      { head = args.head, approvers = approvers, stores = run_store.context(io) })
    if not evidence then return nil, err end
    found[i] = evidence
  end
  return found
end

local function read_format(args)
  local named = not args.format and args.output ~= "-" and args.output or nil
  local wanted = M.check_file("--output", named)
  local format = args.format or args.json and "json" or wanted or "md"
  if args.compare and format ~= "md" and format ~= "json" then
    options.refuse(("--format: got %q; allowed with --compare: md, json"):format(format))
  end
  return format
end

local function check(args)
  local count = args.compare and 2 or 1
  if #args.journal ~= count then
    options.refuse(("journal: got %d; allowed: %s"):format(#args.journal,
      args.compare and "two with --compare" or "one, or two with --compare"))
  end
  if args.head and args.compare then options.refuse "--head: is for one journal" end
  options.text(args, "head", reports.HEAD)
end

local function deliver(io, args, subject, format, code)
  local text = text_of(subject, format)
  if args.output and args.output ~= "-" then
    local ok, message = M.write(args.output, text)
    if not ok then
      return output.complain(io, args.json, output.EXIT.failed, { kind = "journal",
        code = "Client.ReportFailed", message = message, outcome = "not_sent" })
    end
    if args.json then return output.json(io, code, { report = args.output, format = format }) end
    return code
  end
  if format == "json" then return output.json(io, code, subject:plain()) end
  if format == "md" then markdown.show(io, text) else io.out(text) end
  return code
end

local function first_damage(found)
  for i, evidence in ipairs(found) do
    if evidence.chain.verdict == "damaged" then return i, evidence.chain end
  end
  return nil
end

function M.run(args, io)
  check(args)
  local format = read_format(args)
  local found, err = read_all(args, io)
  if not found then return output.fail(io, args, err) end
  for _, path in ipairs(args.journal) do orders.tell_owner(path, io) end
  local code, bad, chain = output.EXIT.done, first_damage(found)
  if bad then
    code = output.EXIT.failed
    io.err(("alicloud-dr: %s: line %d %s\n"):format(terminal.clean(args.journal[bad]), chain.line,
      terminal.clean(chain.reason)))
  end
  local subject = args.compare and dr.compare(found[1], found[2]) or found[1]
  return deliver(io, args, subject, format, code)
end

return M
