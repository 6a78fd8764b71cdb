--- Writes the text of a bug report: versions, platform, how keys and hosts are found, a recording,
--- the tail of a journal. Nothing in it names an account or a machine. A value gets a pseudonym
--- unless it is on a list of what may stay; a line that cannot be proved to be clean is left out.

local core = require "alicloud.core"
local events = require "alicloud.dr.playbook.events"
local redaction = require "alicloud.conformance.recording.redaction"
local fields = require "alicloud.conformance.recording.fields"
local runtimes = require "alicloud.base.runtime"
local tables = require "alicloud.base.tables"
local transport = require "alicloud.transport"
local writing = require "alicloud.conformance.recording.writing"

local M = {}

--- The first words of a report.
M.TITLE = "alicloud-dr bug report 1"

-- Records of the journal's end that are included.
local TAIL = 200

---@class alicloud.cli.ReportSection
---@field title string
---@field lines string[]
---@field dropped integer lines that were left out because they could not be proved to be clean

local function section(title)
  return { title = title, lines = {}, dropped = 0 }
end

local function add(to, form, ...)
  to.lines[#to.lines + 1] = form:format(...)
end

--- The versions of this program and its libraries.
---@return alicloud.cli.ReportSection
function M.versions()
  local about = section "versions"
  add(about, "%-12s %s", "alicloud-dr", core.version.core)
  for _, name in ipairs(tables.keys(core.version)) do
    if name ~= "core" then add(about, "%-12s %s", name, core.version[name]) end
  end
  add(about, "%-12s %s", "transport", transport.version)
  return about
end

-- The first line of a file of the system, if it is plain text.
local function first_line(runtime, path)
  local text = runtime.read_file(path)
  return text and text:match "^[%w%p ]+" or nil
end

--- The machine, without its name.
---@param runtime alicloud.Runtime
---@return alicloud.cli.ReportSection
function M.platform(runtime)
  local about = section "platform"
  add(about, "system       %s %s", first_line(runtime, "/proc/sys/kernel/ostype") or "unknown",
    first_line(runtime, "/proc/sys/kernel/osrelease") or "")
  local release = runtime.read_file "/etc/os-release" or ""
  add(about, "release      %s", release:match '\nPRETTY_NAME="?([^"\n]*)'
    or release:match '^PRETTY_NAME="?([^"\n]*)' or "unknown")
  add(about, "processors   %d", core.process().processors)
  return about
end

-- SHOWN: variables whose value is printed if it is a plain word; NAMED: those only said to be set.
local SHOWN = { "ALIBABA_CLOUD_REGION_ID", "ALIBABA_CLOUD_ENDPOINT_TYPE",
  "ALIBABA_CLOUD_ECS_METADATA_DISABLED", "OTEL_EXPORTER_OTLP_PROTOCOL", "NO_COLOR", "LANG" }
local NAMED = { "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_PROFILE", "ALIBABA_CLOUD_ENDPOINT",
  "ALIBABA_CLOUD_ENDPOINT_EBS", "ALIBABA_CLOUD_CREDENTIALS_URI", "ALIBABA_CLOUD_ECS_METADATA",
  "ALIBABA_CLOUD_ROLE_ARN", "ALIBABA_CLOUD_OIDC_PROVIDER_ARN", "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
  "ALIBABA_CLOUD_CONFIG_FILE", "ALIBABA_CLOUD_CREDENTIALS_FILE", "ALICLOUD_DR_STORE",
  "ALICLOUD_DR_JOURNALS", "https_proxy", "http_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY",
  "SSL_CERT_FILE", "SSL_CERT_DIR", "OTEL_EXPORTER_OTLP_ENDPOINT" }
local FILES = { ".aliyun/config.json", ".alibabacloud/credentials" }

local function add_identity(about, client, redactor)
  local identity, err = client:identity()
  if not identity then
    add(about, "provider     none: %s", redactor:text(err.code))
  else
    add(about, "provider     %s%s", redactor:text(identity.provider),
      identity.temporary and ", a session" or "")
  end
  for _, entry in ipairs((identity or err).tried or {}) do
    add(about, "tried        %s: %s", redactor:text(entry.provider), redactor:text(entry.reason))
  end
end

-- The variable that a fault names, if it is one of these lists.
local function variable_in(fault)
  for _, list in ipairs { SHOWN, NAMED } do
    for _, name in ipairs(list) do
      if fault:find(name .. "%f[^%w_]") then return " (" .. name .. ")" end
    end
  end
  return ""
end

--- How keys and hosts are found. The provider of keys is asked only if a client is given.
---@param runtime alicloud.Runtime
---@param redactor alicloud.recording.Redactor
---@param client? alicloud.Client client whose provider of keys is asked
---@param fault? string why there is no client
---@return alicloud.cli.ReportSection
function M.configuration(runtime, redactor, client, fault)
  local about, getenv = section "configuration", runtime.getenv
  for _, name in ipairs(SHOWN) do
    local value = getenv(name)
    if value then
      local is_plain = value:find "^[%w%-_./]*$" and #value <= 40
      add(about, "%s%s", name, is_plain and "=" .. value or " (set)")
    end
  end
  for _, name in ipairs(NAMED) do
    if getenv(name) then add(about, "%s (set)", name) end
  end
  local home = getenv "HOME"
  for _, name in ipairs(home and FILES or {}) do
    add(about, "~/%s %s", name, core.look(home .. "/" .. name) and "is there" or "is not there")
  end
  if client then add_identity(about, client, redactor) end
  if fault then
    add(about, "no client can be made%s: %s", variable_in(fault), redactor:text(fault))
  end
  return about
end

-- The line that stands in place of one that cannot be proved to be clean.
local function dropped(about)
  about.dropped = about.dropped + 1
  return core.encode { dropped = writing.UNPROVED }
end

--- A recording. It was redacted when it was written; its lines are checked again, since a person
--- may have edited one since and put in what this machine knows to be secret.
---@param recording alicloud.conformance.Recording
---@param text string text of its file
---@param redactor alicloud.recording.Redactor
---@return alicloud.cli.ReportSection
function M.recording(recording, text, redactor)
  local about = section(("recording (%d exchanges, %d lines were left out)"):format(
    #recording.exchanges, recording.dropped))
  for line in text:gmatch "[^\n]+" do
    local entry = core.decode(line)
    if entry then
      about.lines[#about.lines + 1] = redactor:proves(entry) and line or dropped(about)
    end
  end
  return about
end

-- Field names of a journal's records that stay. A name that a playbook's author chose does not.
local function names_of_fields()
  local names = {}
  for _, list in pairs(events.fields()) do
    for _, name in ipairs(list) do names[name:gsub("%?$", "")] = true end
  end
  for name in ([[type at mail seq sum prev kind code message outcome hint product action region
    group_id request_id client_token attempts status again unit pairs pair_status from to
    recover_point group_recover_point pair_recover_point drill_id drills_before zone name digest
    rto rpo seconds by why id key approvers groups run gate mode playbook params need expires
    requester version disk instance device how attempt elapsed exceptions marks state joined
    already result findings fact title verdict mark run_id rto_basis rpo_basis rpo_to elapsed
    destination_disk source_disk request_ids group pair_ids pair_count role site read_at snapshot
    from_zone to_zone label needed max_rpo recover_point_age initial_from
    initial_to]]):gmatch "%S+" do
    names[name] = true
  end
  return names
end

-- Fields whose values are words of this program.
local WORDS = {}
for name in ([[type kind mode outcome status verb state side product action role answer moment
  verdict mark rto_basis rpo_basis site]]):gmatch "%S+" do WORDS[name] = true end

-- Names of steps of the ready playbooks.
local STEPS = {}
for _, name in ipairs { "check", "what remains", "replicate", "promote", "service answers",
  "verdict", "table", "sync interval", "start drill", "sides", "serve", "reverse", "reprotect",
  "replicate back", "protect again", "order", "open before", "open after", "cloud answers", "clear",
  "choose", "check the disks", "catch up", "approve", "fence", "stop", "start", "attach" } do
  STEPS[name] = true
end

-- Kinds of the pseudonyms of fields that hold ids or names and that the service calls otherwise.
local KIND = { group_id = "pg", groups = "pg", pairs = "pair", disk = "d", instance = "i",
  drill_id = "drill", drills_before = "drill", by = "name", requester = "name", owner = "name",
  taken_from = "name", host = "name", playbook = "name", name = "name", account = "acct",
  client_token = "token" }

-- The service's names of fields that are called otherwise here.
local CALLED = { zone = "ZoneId", from_zone = "ZoneId", to_zone = "ZoneId", region = "RegionId",
  from = "RegionId", to = "RegionId",
  fact = "Message", hint = "Message",
  request_ids = "RequestId" }

-- Fields that hold digests.
local SUMS = { digest = true, head = true, key = true, decision = true, signature = true,
  mail = true, run_id = true }

local is_field

local function is_word(name, value)
  return WORDS[name] and (value:find "^[%l_]+$" and #value <= 30 or fields.is_word(value))
    or (name == "step" or name == "gate") and STEPS[value]
    or name == "code" and value:find "^[%u][%w.]*$" and #value <= 80
    or name == "used" and is_field[value]
    or SUMS[name] and value:find "^%x+$" and #value >= 16
end

-- A `host` with dots is that of a call, judged by its looks; one without is the name of a machine.
local function kind_of(name, value)
  if name == "host" and value:find(".", 1, true) then return nil end
  return KIND[name]
end

local function redact(redactor, value, name, holder)
  if type(value) == "string" then
    local is_ours = holder == "findings" and (name == "id" or name == "title")
    if is_ours or is_word(name, value) then return value end
    return redactor:string(fields.canonical(CALLED[name] or name), value, kind_of(name, value))
  end
  if type(value) ~= "table" then return redactor:value(value, fields.canonical(name)) end
  local copy = {}
  if core.is_array(value) or #value > 0 then
    for i, each in ipairs(value) do
      copy[i] = redact(redactor, each, name, holder)
    end
    return core.array(copy)
  end
  for _, key in ipairs(tables.keys(value)) do
    -- A key may be an id, as in pair_status.
    local shown = is_field[key] and key or redactor:string(nil, key)
    copy[shown] = redact(redactor, value[key], key, name)
  end
  return copy
end

--- The tail of a journal.
---@param text string text of its file
---@param redactor alicloud.recording.Redactor
---@return alicloud.cli.ReportSection
function M.journal(text, redactor)
  is_field = is_field or names_of_fields()
  local reading, damage = events.read(text)
  local list = (reading or damage.before).events
  local about = section(("journal (the last %d of %d records%s)"):format(math.min(TAIL, #list),
    #list, damage and "; line " .. damage.line .. " is damaged" or ""))
  local first = math.max(1, #list - TAIL + 1)
  -- A first pass collects names: a text may hold a name that only a later record shows to be one.
  for i = first, #list do redact(redactor, list[i], "") end
  for i = first, #list do
    local copy = redact(redactor, list[i], "")
    about.lines[#about.lines + 1] = redactor:proves(copy) and core.encode(copy) or dropped(about)
  end
  return about
end

-- The value of a variable; as a secret if it comes from the environment of this process.
local function sealed(runtime, name)
  if not runtimes.has_real_environment(runtime) then return runtime.getenv(name) end
  return core.secret_from_env(name)
end

--- A redactor that knows the keys in the environment.
---@param runtime alicloud.Runtime
---@return alicloud.recording.Redactor
function M.redactor(runtime)
  local redactor = redaction.new {}
  redactor:take_keys { access_key_id = runtime.getenv "ALIBABA_CLOUD_ACCESS_KEY_ID",
    access_key_secret = sealed(runtime, "ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
    security_token = sealed(runtime, "ALIBABA_CLOUD_SECURITY_TOKEN") }
  return redactor
end

--- The whole report.
---@param sections alicloud.cli.ReportSection[]
---@param now number unix seconds
---@return string
function M.text(sections, now)
  local parts = { ("%s\nmade %s\n"):format(M.TITLE, core.iso8601(math.floor(now))) }
  for _, about in ipairs(sections) do
    parts[#parts + 1] = ("\n== %s\n%s\n"):format(about.title, table.concat(about.lines, "\n"))
  end
  return table.concat(parts)
end

return M
