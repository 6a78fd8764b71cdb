--- The options by which a run's process reaches the service: endpoint, profile, proxy, trust. They
--- are kept in the journal, so that a printed command that continues the run reaches the same
--- service. Paths are whole. No secret is among them: keys are in files, and an endpoint or a proxy
--- with a user or a password is refused.

local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"

local M = {}

---@alias alicloud.dr.Way table<string, string|string[]>

--- The options of the command that make up a way, in the order in which they are printed.
M.NAMES = { "endpoint", "profile", "network", "proxy", "no_proxy", "resolve", "ca_file", "ca_path",
  "client_cert", "client_key" }

local URL = schema.rule("text without a user or a password", function(value)
  return schema.text.test(value) and not value:find("@", 1, true)
end)
URL.secret = true

local FIELDS = { resolve = { allowed = "a list of host=address", each = schema.text,
  test = schema.typed("table").test } }
for _, name in ipairs(M.NAMES) do FIELDS[name] = FIELDS[name] or schema.text end
FIELDS.endpoint, FIELDS.proxy = URL, URL

--- The rule of the option `way` of dr.run.
M.RULE = tables.merged(schema.typed "table", { fields = FIELDS })

--- The options for a command that has to reach the service in the same way.
---@param way alicloud.dr.Way|nil nil: none was typed
---@return string[] options as alicloud.base.shell makes them
function M.options(way)
  local all = {}
  for _, name in ipairs(M.NAMES) do
    local value = way and way[name]
    for _, each in ipairs(type(value) == "table" and value or { value }) do
      all[#all + 1] = shell.option("--" .. name:gsub("_", "-"), each)
    end
  end
  return all
end

return M
