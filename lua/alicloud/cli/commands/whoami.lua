--- `alicloud-dr whoami`: shows whose credentials a command would use, where they were found, and
--- why other sources were passed over. Reads only.

local cli_clients = require "alicloud.cli.client"
local core = require "alicloud.core"
local duration = require "alicloud.base.duration"
local env = require "alicloud.credentials.env"
local fold = require "alicloud.cli.fold"
local help = require "alicloud.cli.help"
local http = require "alicloud.net.http"
local network = require "alicloud.cli.options.network"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local schema = require "alicloud.base.schema"
local terminal = require "alicloud.cli.terminal"

---@type alicloud.cli.Command
local M = {}

local EPILOG = [[
Places are tried in this order: the environment, an OIDC role, ~/.aliyun/config.json,
~/.alibabacloud/credentials, the RAM role of the ECS instance, a credentials URI.

Examples:
  alicloud-dr whoami
  alicloud-dr whoami --profile dr --offline --json

Exit codes: 0 done (also where STS cannot be reached), 1 refused or failed, 2 no credentials.]]

local METADATA = schema.rule("http://host[:port]", function(value)
  return http.parse_url(value) ~= nil and value:find("^http://[^/?#]+$") ~= nil
end)

local TIMEOUT = 5

function M.configure(command)
  options.add_profile(command)
  command:flag("--offline", "Do not ask STS who this is.")
  command:option("--endpoint", "As for the other commands; one on this machine is asked in place "
    .. "of STS."):argname "<host>"
  command:option("--metadata-endpoint", "For tests: ask this in place of the metadata service.")
    :argname "<url>"
  network.add(command)
  help.connection(command, function() options.add_recording(command) end)
  options.add_json(command)
  command:epilog(EPILOG)
end

-- Asks STS for the identity. The command must also work where STS does not answer, so it waits
-- only briefly.
local function ask(client, about)
  if not about.sts_endpoint then return nil, about.sts_fault end
  local answer, err = client:call("sts:GetCallerIdentity", {}, {
    endpoint = about.sts_endpoint, timeout = TIMEOUT, deadline = TIMEOUT + 1, retries = 0,
  })
  if not answer then return nil, err.message, err end
  return {
    account_id = answer.AccountId, arn = answer.Arn, identity_type = answer.IdentityType,
    principal_id = answer.PrincipalId, request_id = answer.RequestId,
  }
end

local function tried_list(tried)
  local list = core.array {}
  for i, entry in ipairs(tried or {}) do
    list[i] = { provider = entry.provider, reason = entry.reason, absent = entry.absent }
  end
  return list
end

local function near_list(near)
  local list = core.array {}
  for i, miss in ipairs(near or {}) do list[i] = { set = miss.set, counts = miss.counts } end
  return list
end

local MARGIN = 12

local function line(io, name, text, indent)
  io.out(fold.hang(io, ("  %-10s%s"):format(name, terminal.clean(text, 1000)), indent or MARGIN)
    .. "\n")
end

-- The sources that were tried; for one that is configured and fails, also what to do.
local function print_tried(io, tried)
  local width = 0
  for _, entry in ipairs(tried or {}) do width = math.max(width, #entry.provider) end
  local form, indent = "%-" .. width .. "s  %s", MARGIN + width + 2
  for i, entry in ipairs(tried or {}) do
    line(io, i == 1 and "tried" or "", form:format(entry.provider, entry.reason), indent)
    if entry.hint and not entry.absent then line(io, "", form:format("", entry.hint), indent) end
  end
end

local function print_near(io, near)
  for i, words in ipairs(env.near_miss_words(near or {})) do
    line(io, i == 1 and "not read" or "", words)
  end
end

local HELP = [[

  One of these is enough:
    export ALIBABA_CLOUD_ACCESS_KEY_ID=… ALIBABA_CLOUD_ACCESS_KEY_SECRET=…
    aliyun configure --profile dr      (then alicloud-dr … --profile dr)
    a RAM role for the ECS instance that this runs on
]]

local function show_none(io, args, err)
  local code = output.exit_code(err, false)
  if args.json then
    return output.json(io, code,
      { error = output.error_object(err), tried = tried_list(err.tried),
        near_misses = near_list(err.near_misses) })
  end
  if err.tried then
    line(io, "provider", "none")
    print_tried(io, err.tried)
    print_near(io, err.near_misses)
  end
  -- With no source configured the help is printed; a source that fails comes with its own hint.
  local nothing = err.tried and not err.ends_chain
  if nothing then io.out(HELP) end
  io.err("alicloud-dr: " .. terminal.clean(nothing and "no credentials" or err, 2000) .. "\n")
  return code
end

local function key_text(about)
  if about.expires_in then
    return ("%s, a session that ends in %s"):format(about.key_id,
      duration.format(math.floor(about.expires_in)))
  end
  return about.key_id .. (about.temporary and ", a session" or "")
end

local function show(io, about, caller, complaint)
  line(io, "provider", about.provider)
  line(io, "key", key_text(about))
  print_tried(io, about.tried)
  print_near(io, about.near_misses)
  if caller then
    line(io, "caller", ("%s (%s, account %s)"):format(caller.arn or "?",
      caller.identity_type or "?", caller.account_id or "?"))
  elseif complaint then
    line(io, "caller", "unknown: " .. complaint)
  end
end

-- Only a refusal of the service is a failure; an unreachable network is not.
local function exit_code(err)
  return err and err.kind == "api" and output.EXIT.failed or output.EXIT.done
end

function M.run(args, io)
  local metadata = options.text(args, "metadata_endpoint", METADATA)
  local client <close> = cli_clients.anywhere(args, io, metadata)
  local about, failure = client:identity()
  if not about then return show_none(io, args, failure) end
  local caller, complaint, err
  if not args.offline then caller, complaint, err = ask(client, about) end
  local code = exit_code(err)
  if args.json then
    return output.json(io, code, {
      provider = about.provider, key_id = about.key_id, temporary = about.temporary == true,
      expires_in = about.expires_in, tried = tried_list(about.tried), caller = caller,
      near_misses = near_list(about.near_misses),
      error = err and output.error_object(err) or nil,
    })
  end
  show(io, about, caller, complaint)
  return code
end

return M
