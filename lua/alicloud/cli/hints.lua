--- Turns the hints of the library, which name methods and options of Lua, into commands and options
--- that can be typed.

local commands = require "alicloud.cli.commands"
local network = require "alicloud.cli.options.network"
local region_names = require "alicloud.cli.region_names"
local shell = require "alicloud.base.shell"

local M = {}

-- Options of methods that are options of commands under the same name.
local OPTIONS = { old_side = true, to = true, incident = true, client_token = true,
  outage_at = true, max_rpo = true, stop_shared = true }

-- Options without which a command cannot be typed.
local NEEDED = { serve = "--attach INSTANCE" }

local function command_of(verb, err, reach)
  if not commands.is_known(verb) then return nil end
  local place = {}
  if err.region then place[1] = shell.option("--region", err.region) end
  if err.to then place[#place + 1] = shell.option("--to", err.to) end
  table.move(reach or {}, 1, #(reach or {}), #place + 1, place)
  place[#place + 1] = NEEDED[verb]
  return shell.command(verb, { err.group_id or "GROUP" }, place)
end

local function option_of(name, value)
  return OPTIONS[name] and shell.option("--" .. name:gsub("_", "-"), value) or nil
end

--- A hint in words of the command line.
---@param text string
---@param err { group_id: string?, region: string?, to: string? } fills in group and place
---@param of_run? boolean the hint is for a playbook, which takes max_rpo as a parameter
---@param reach? string[] options of the commands that say how to reach the service
---@return string
function M.translate(text, err, of_run, reach)
  return (text:gsub(" %(in Lua [^()]*%)", "")
    :gsub("group:(%l[%l_]*)", function(verb) return command_of(verb, err, reach) end)
    :gsub("(%l[%l_]*) = \"([^\"]*)\"", option_of)
    :gsub("%f[%w_]max_rpo%f[^%w_]", of_run and "max_rpo" or "--max-rpo")
    :gsub("%f[%w_]outage_at%f[^%w_]", "--outage-at"))
end

--- Translates the hint of an error and the cures of its findings.
---@param err alicloud.Error
---@param args? table of argparse; the commands get its options that say how to reach the service
---@param of_run? boolean see `translate`
---@return alicloud.Error err the same
function M.at_the_shell(err, args, of_run)
  local reach = args and network.reach(args)
  local meant = err.code == "NoSuchResource" and err.region and region_names.meant(err.region)
  if meant then err.hint = ("did you mean the region %s?"):format(meant) end
  if type(err.hint) == "string" then err.hint = M.translate(err.hint, err, of_run, reach) end
  for _, finding in ipairs(type(err.findings) == "table" and err.findings or {}) do
    if type(finding) == "table" and type(finding.cure) == "string" then
      finding.cure = M.translate(finding.cure, err, of_run, reach)
    end
  end
  return err
end

return M
