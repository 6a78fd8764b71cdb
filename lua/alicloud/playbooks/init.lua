--- The ready playbooks, which are run by their name: `alicloud-dr run failover …`. Each is a file
--- in this folder, to be run as it is or to be copied and edited.

require "alicloud.base.lua_version"
local lazy = require "alicloud.base.lazy"
local schema = require "alicloud.base.schema"
local sources = require "alicloud.dr.playbook.source"

---@module "alicloud.dr.playbook"
local playbooks = lazy.module "alicloud.dr.playbook"

local M = {}

--- Their names, in the order in which they are needed.
M.NAMES = { "drill", "planned", "failover", "failback", "fleet" }

--- Their steps and gates, under the names that `--skip` takes; those in the branch of a group begin
--- with GROUP. A step that is repeated has a number behind its name.
M.STEPS = {
  drill = { "check", "open before", "gate:approve", "start drill", "check the disks", "clear",
    "open after", "verdict" },
  planned = { "check", "sync interval", "gate:approve", "stop services", "fence", "note the stop",
    "stop replication", "last sync", "promote", "serve", "service answers", "reprotect",
    "replicate" },
  failover = { "check", "gate:approve", "stop services", "fence", "promote", "serve",
    "service answers", "fence again", "what remains" },
  failback = { "sides", "check", "gate:approve", "reverse", "replicate back", "catch up",
    "stop services", "fence", "note the stop", "stop replication", "last sync", "promote", "serve",
    "service answers", "protect again", "replicate" },
  fleet = { "table", "order", "cloud answers", "gate:approve", "service answers", "what remains",
    "GROUP/check", "GROUP/stop services", "GROUP/fence", "GROUP/promote", "GROUP/serve",
    "GROUP/fence again" },
}

local known = {}
for _, name in ipairs(M.NAMES) do known[name] = true end

local function path_of(name)
  return package.searchpath("alicloud.playbooks." .. name, package.path)
end

--- Whether a word is a name and not the path of a file.
---@param word string
---@return boolean
function M.is_name(word)
  return word:find("^[%w_-]+$") ~= nil
end

local function complain(name)
  return ("got %s; allowed: %s, or the path of a file, e.g. ./%s.lua%s"):format(schema.show(name),
    table.concat(M.NAMES, ", "), name, schema.did_you_mean(name, known))
end

--- The text of a ready playbook.
---@param name string
---@param read_file fun(path: string): string|nil, string?
---@return string|nil
---@return string? message
function M.text(name, read_file)
  if not known[name] then return nil, complain(name) end
  local path, message = path_of(name)
  if not path then return nil, message end
  return read_file(path)
end

--- Reads a ready playbook; its journal records the name in place of a path.
---@param name string
---@param read_file fun(path: string): string|nil, string?
---@return alicloud.dr.PlaybookSource|nil
---@return string? message
function M.source(name, read_file)
  if not known[name] then return nil, complain(name) end
  local path, message = path_of(name)
  if not path then return nil, message end
  local source
  source, message = sources.read(path, read_file)
  if source then source.file, source.steps = name, M.STEPS[name] end
  return source, message
end

--- Loads a ready playbook.
---@param name string
---@param read_file fun(path: string): string|nil, string?
---@return alicloud.dr.Playbook|nil
---@return string? message
function M.load(name, read_file)
  local source, message = M.source(name, read_file)
  if not source then return nil, message end
  return playbooks.load_source(source)
end

return M
