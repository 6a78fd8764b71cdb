--- Options that many commands share, and refusals of what was typed. A refusal is one line with the
--- field, the value and the allowed form; nothing is sent then.

local duration = require "alicloud.base.duration"
local formats = require "alicloud.base.formats"
local help = require "alicloud.cli.help"
local lazy = require "alicloud.base.lazy"
local schema = require "alicloud.base.schema"

---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"
---@module "alicloud.net.endpoint"
local endpoint = lazy.module "alicloud.net.endpoint"
---@module "alicloud.cli.region_names"
local region_names = lazy.module "alicloud.cli.region_names"
---@module "alicloud.base.shell"
local shell = lazy.module "alicloud.base.shell"
---@module "alicloud.cli.options.network"
local network = lazy.module "alicloud.cli.options.network"
---@module "alicloud.cli.options.events"
local event_options = lazy.module "alicloud.cli.options.events"
---@module "alicloud.cli.options.outage"
local outage = lazy.module "alicloud.cli.options.outage"

local M = {}

local Usage = {
  __name = "alicloud.cli.Usage",
  __tostring = function(usage) return usage.message end,
}

--- Raises a refusal, which ends the command with exit code 2.
---@param message string
function M.refuse(message)
  error(setmetatable({ message = message }, Usage), 0)
end

---@param raised any
---@return boolean
function M.is_refusal(raised)
  return getmetatable(raised) == Usage
end

local function refuse_value(field, value, allowed)
  M.refuse(("%s: got %s; allowed: %s"):format(field, schema.show(value), allowed))
end

--- Turns misuse that a library function raised into a refusal: the user typed what it complains
--- about.
---@param raised any
function M.refuse_misuse(raised)
  if type(raised) ~= "string" then error(raised, 0) end
  M.refuse((raised:gsub("^[^\n:]+:%d+: ", "")))
end

local function add_replay(command)
  command:option("--replay", "Take the answers from this recording: nothing is sent, no key is "
    .. "read."):argname "<recording>"
  command:option("--replay-mode", "strict: the requests of then in their order; else readings in "
    .. "any order (lenient)."):choices { "strict", "lenient" }
end

--- Adds the options of every command that talks to the service.
---@param command table of argparse
---@param region_doc string the help of --region
---@param is_live? boolean the command goes on with what really happened, so it takes no recording
function M.add_common(command, region_doc, is_live)
  command:option "--region"
    :argname "<region>"
    :description(region_doc .. "; else $ALIBABA_CLOUD_REGION_ID.")
  M.add_json(command)
  help.connection(command, function()
    M.add_profile(command)
    command:option("--endpoint", "[http://|https://]host[:port] to ask instead of "
      .. "ebs.<region>.aliyuncs.com."):argname "<host>"
    outage.add(command)
    network.add(command)
    M.add_recording(command)
    if not is_live then add_replay(command) end
  end)
end

--- Adds the options that record requests and answers.
---@param command table of argparse
function M.add_recording(command)
  command:option("--record", "Write every request and answer to the end of this file, with "
    .. "pseudonyms for ids, names and keys, so that it can be shown."):argname "<recording>"
  command:option("--keep-map", "Keep what the pseudonyms of --record stand for in this file, for "
    .. "you alone."):argname "<file>"
  command:flag("--drop-request-ids", "Give request ids pseudonyms in --record, too.")
end

---@param command table of argparse
function M.add_profile(command)
  command:option("--profile", "Credentials of this profile of ~/.aliyun/config.json or "
    .. "~/.alibabacloud/credentials."):argname "<name>"
end

---@param command table of argparse
function M.add_json(command)
  command:flag("--json", "Print one JSON object, errors too; its field exit is the exit code.")
end

--- Adds the option that says which side of a group is meant.
---@param command table of argparse
function M.add_side(command)
  command:option("--to", "Zone or region that takes over. Needed where both sites of the group lie "
    .. "in one region; with it, --region may be left out."):argname "<place>"
end

--- The side of a group that was typed with --to, if it was.
---@param args table
---@return string|nil
function M.side(args)
  return M.text(args, "to", formats.PLACE)
end

-- With an endpoint of its own any region may be meant: worlds of an emulator have made-up ones.
local function has_endpoint(args, getenv)
  if args.replay then return true end
  for _, value in ipairs { args.endpoint or "", getenv "ALIBABA_CLOUD_ENDPOINT_EBS" or "",
    getenv "ALIBABA_CLOUD_ENDPOINT" or "" } do
    if value ~= "" then return true end
  end
  return false
end

--- The region: --region, else that of --to, else the environment's.
---@param args table
---@param getenv fun(name: string): string|nil
---@return string
function M.region(args, getenv)
  local field, value = "--region", args.region
  if value == nil and M.side(args) then value = formats.region_of(args.to) end
  if value == nil then
    field, value = "ALIBABA_CLOUD_REGION_ID", getenv "ALIBABA_CLOUD_REGION_ID"
    if value == nil or value == "" then
      M.refuse("--region: is missing; allowed: a region such as cn-shanghai, or set "
        .. "ALIBABA_CLOUD_REGION_ID")
    end
  end
  if not formats.REGION.test(value) then refuse_value(field, value, formats.REGION.allowed) end
  local meant = not has_endpoint(args, getenv) and region_names.meant(value)
  if meant then
    M.refuse(("%s: got %s; did you mean %s? A region of that name is reached with --endpoint "
      .. "ebs.%s.aliyuncs.com"):format(field, value, meant, value))
  end
  return value
end

--- The endpoint, if one was typed.
---@param args table
---@return string|nil
function M.endpoint(args)
  local value = args.endpoint
  if value == nil then return nil end
  local ok, reason = endpoint.parse(value, false)
  if not ok then M.refuse(endpoint.refusal("--endpoint", value, reason)) end
  return value
end

--- Takes the endpoint of the environment for a typed one, so that a run's journal and the commands
--- that it prints lead to the same service from any shell. Only one for all products is taken, as
--- the option is: with one of EBS alone, ECS would be asked there, too, so it is warned of. With a
--- recording none counts.
---@param args table changed
---@param io alicloud.cli.Io
---@param getenv fun(name: string): string|nil
function M.keep_endpoint(args, io, getenv)
  if args.endpoint or io.replay then return end
  local found, names = {}, {}
  for i, product in ipairs { "ebs", "ecs" } do
    local target = endpoint.resolve { product = product, getenv = getenv }
    found[i] = target and getenv(target.source)
    names[#names + 1] = target and target.source
  end
  if found[1] == found[2] then
    args.endpoint = found[1]
  else
    io.err(fold.hang(io, ("alicloud-dr: warning: %s: not kept with the run, since --endpoint is "
      .. "for all products; in a shell without it the printed commands lead to another service")
      :format(table.concat(names, ", ")), 4) .. "\n")
  end
end

--- An id of a group, or its name behind "name:".
---@param value any
---@param field? string where it was typed (group)
---@return string
function M.group_id(value, field)
  if type(value) == "string" and value:find "^name:[^%c]+$" and #value <= 200 then return value end
  if not formats.ID.test(value) then refuse_value(field or "group", value, formats.ID.allowed) end
  return value
end

--- A duration in seconds, if one was typed.
---@param args table
---@param name string key in args, e.g. "max_rpo"
---@param min? number seconds
---@return number|nil
function M.duration(args, name, min)
  local value = args[name]
  if value == nil then return nil end
  local seconds = duration.parse(value)
  if not seconds or seconds < (min or 0) or seconds > formats.YEAR then
    local least = min and (", at least %g s"):format(min) or ""
    refuse_value("--" .. name:gsub("_", "-"), value,
      duration.ALLOWED .. least .. ", at most " .. duration.format(formats.YEAR))
  end
  return seconds
end

--- Adds --outage-at: since when nothing has been written at the primary site.
---@param command table of argparse
function M.add_outage_at(command)
  command:option("--outage-at", "Since when nothing has been written at the primary site: the loss "
    .. "is counted to it. Unix seconds, 2026-11-22T03:12:40Z, or so long ago: 70m.")
    :argname "<time>"
end

--- The value of --outage-at.
---@param args table
---@return string|nil the typed text
function M.outage_at(args)
  return M.text(args, "outage_at", formats.MOMENT)
end

--- Adds the options of every command that changes something.
---@param command table of argparse
---@param about { yes: string, timeout: string } the help of these two options
function M.add_change(command, about)
  command:flag "-y --yes"
    :description(about.yes)
  command:option "--timeout"
    :argname "<duration>"
    :description(about.timeout)
  command:option("--poll", "Longest pause between two looks (5s).")
    :argname "<duration>"
  event_options.add(command)
end

--- Adds the two options that choose the idempotency token of a change.
---@param command table of argparse
---@param incident_doc string
function M.add_token(command, incident_doc)
  command:option "--incident"
    :argname "<name>"
    :description(incident_doc)
  command:option("--client-token", "Go on with this token instead of a new one.")
    :argname "<token>"
end

--- Reads the options of `add_change`.
---@param args table
---@return { timeout: number?, poll: number? } seconds
function M.read_change(args)
  return { timeout = M.duration(args, "timeout", 1), poll = M.duration(args, "poll", 0.05) }
end

--- Reads the options of `add_change` and `add_token`.
---@param args table
---@return table
function M.read_change_with_token(args)
  if args.incident and args.client_token then
    M.refuse("--client-token: cannot be given together with --incident, which derives the "
      .. "token; allowed: one of the two")
  end
  local given = M.read_change(args)
  given.incident = M.text(args, "incident", formats.INCIDENT)
  given.client_token = M.text(args, "client_token", formats.TOKEN)
  return given
end

--- The name of the person at the terminal: --as, else $USER.
---@param args table with `requester`
---@param getenv fun(name: string): string|nil
---@return string|nil
function M.person(args, getenv)
  local name = args.requester or getenv "USER"
  if name == nil or name == "" then return nil end
  if name:find("%c") or #name > 80 then
    M.refuse(("--as: got %q; allowed: a name without control characters"):format(name))
  end
  return name
end

-- Options whose key in args differs from the word that is typed.
local TYPED_AS = { requester = "as", chosen_file = "file" }

--- Options as they were typed, for a printed command.
---@param args table
---@param names string[] their keys in args, in the order in which they are printed
---@return string[]
function M.typed(args, names)
  local all = {}
  for _, name in ipairs(names) do
    local value = args[name]
    local option = "--" .. (TYPED_AS[name] or name):gsub("_", "-")
    for _, each in ipairs(type(value) == "table" and value or { value or nil }) do
      all[#all + 1] = shell.option(option, each ~= true and each or nil)
    end
  end
  return all
end

--- The value of a text option; refuses one that does not fit the rule.
---@param args table
---@param name string
---@param rule alicloud.schema.Rule
---@return string|nil
function M.text(args, name, rule)
  local value = args[name]
  if value ~= nil and not rule.test(value) then
    refuse_value("--" .. name:gsub("_", "-"), value, rule.allowed)
  end
  return value
end

--- Refuses a reason with control characters, e.g. one that was pasted with its line ends.
---@param field string where it was typed
---@param text string|nil
function M.check_reason(field, text)
  if text and text:find "%c" then refuse_value(field, text, "one line, no control characters") end
end

return M
