--- Makes the report on a run from its journal alone: it calls no service, and changes nothing.
---
---     local report = assert(dr.report("orders-1.jsonl"))
---     print(report.status, report.rto.achieved)
---     local page = report:render "html"

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local gather = require "alicloud.dr.report.gather"
local journals = require "alicloud.dr.journal"
local lazy = require "alicloud.base.lazy"
local plain = require "alicloud.dr.report.plain"
local schema = require "alicloud.base.schema"
local sources = require "alicloud.dr.report.source"
local tables = require "alicloud.base.tables"

---@module "alicloud.dr.report.compare"
local compare = lazy.module "alicloud.dr.report.compare"

local M = {}

---@class alicloud.dr.Evidence: alicloud.dr.EvidenceModel
local Evidence = {}

local metatable = {
  __name = "alicloud.dr.Evidence", __index = Evidence,
  __tostring = function(evidence)
    return ("alicloud.dr.Evidence(%s, %s)"):format(plain.clean(evidence.playbook.name, 80),
      plain.clean(evidence.status, 40))
  end,
}

--- The formats of a report.
M.FORMATS = { "json", "md", "junit", "html" }

local MODULES = { md = "alicloud.dr.report.md", junit = "alicloud.dr.report.junit",
  html = "alicloud.dr.report.html" }

local function to_json(evidence)
  return core.encode(evidence:plain()) .. "\n"
end

--- The function that writes reports in a format; its module is loaded now.
---@param format "json"|"md"|"junit"|"html"|any
---@return nil|fun(evidence: alicloud.dr.Evidence): string write nil: there is no such format
function M.writer(format)
  if format == "json" then return to_json end
  return MODULES[format] and require(MODULES[format]).render
end

--- A copy of the model as a plain table, for JSON.
---@return alicloud.dr.EvidenceModel
function Evidence:plain()
  return tables.copy(self)
end

--- Renders the report in a format.
---@param format "json"|"md"|"junit"|"html"
---@return string text
function Evidence:render(format)
  local write = M.writer(format)
  if not write then
    error(("report: format: got %s; allowed: %s"):format(schema.show(format),
      table.concat(M.FORMATS, ", ")), 2)
  end
  return write(self)
end

local SCHEMA = {
  -- A sum that begins with fewer digits could be found by trying.
  head = schema.rule("16 to 64 hexadecimal digits", function(value)
    return type(value) == "string" and #value >= 16 and #value <= 64 and value:find("^%x+$") ~= nil
  end),
}

M.HEAD = SCHEMA.head

SCHEMA.approvers = schema.rule("a table of name = public key", function(value)
  if type(value) ~= "table" then return false end
  for name, key in pairs(value) do
    if type(name) ~= "string" or type(key) ~= "string" or #key ~= 64 then return false end
  end
  return true
end)

SCHEMA.stores = schema.typed "table"

local function no_run(name, chain)
  if chain.line then return journals.damaged(name or "the records", chain) end
  return errors.new {
    kind = "journal", code = "Client.JournalEmpty", outcome = "not_sent",
    message = (name or "the records") .. ": holds no run",
    hint = "give the journal that `run` has printed",
  }
end

--- Reads the evidence of a run.
---@param source string|table[] path or address of a journal, or its records (`event`s)
---@param options? { head: string?, approvers: table<string, string>?,
---stores: alicloud.dr.StoreContext? } head: a sum that was noted before, which the journal must
---contain; approvers: public keys by name, against which signatures are checked; stores: how a
---shared store is reached
---@return alicloud.dr.Evidence|nil
---@return alicloud.Error? err the journal cannot be read, or holds no run
function M.read(source, options)
  if type(source) ~= "string" and type(source) ~= "table" then
    error(("dr.report: got %s; allowed: the path of a journal, or records"):format(
      schema.show(source)), 2)
  end
  local given = schema.check("dr.report", options, SCHEMA, 2)
  local found, err = sources.open(source, given.head, given.approvers, given.stores)
  if not found then return nil, err end
  local model = gather.model(found)
  if not model then return nil, no_run(found.name, found.chain) end
  return setmetatable(model, metatable)
end

--- Compares two runs, e.g. an older and a newer drill.
---@param a alicloud.dr.Evidence of the older run
---@param b alicloud.dr.Evidence of the newer run
---@return alicloud.dr.Comparison
function M.compare(a, b)
  for _, each in ipairs { { a }, { b } } do
    if getmetatable(each[1]) ~= metatable then
      error(("dr.compare: got %s; allowed: what dr.report returns"):format(
        schema.show(each[1])), 2)
    end
  end
  return compare.new(a, b)
end

return M
