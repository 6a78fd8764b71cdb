--- Makes, loads and runs playbooks: plain Lua functions whose runs can be resumed by anybody.
---
---     local dr = require "alicloud.dr"
---     return dr.playbook("orders: move to Shanghai", function(run)
---       local orders = run:group("pg-orders", { region = "cn-shanghai" })
---       run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
---       run:step("promote", { point_of_no_return = true }, function()
---         return orders:failover { max_rpo = "20m" }
---       end)
---     end)
---
--- Every step, decision and call is in the journal before it counts. A run that was killed
--- continues when it is run again: finished steps return their earlier results, and begun steps
--- look before they act. The function of a playbook gets an alicloud.dr.PlaybookRun; the options
--- are alicloud.dr.RunOptions.

local bounded = require "alicloud.dr.playbook.bounded"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local guard = require "alicloud.base.guard"
local lazy = require "alicloud.base.lazy"
local params = require "alicloud.dr.playbook.params"
local schema = require "alicloud.base.schema"
local sources = require "alicloud.dr.playbook.source"
local trusted_files = require "alicloud.base.trusted_file"

---@module "alicloud.dr.playbook.runner"
local runner = lazy.module "alicloud.dr.playbook.runner"
---@module "alicloud.dr.playbook.walk"
local walks = lazy.module "alicloud.dr.playbook.walk"

local M = {}

---@class alicloud.dr.Playbook
---@field name string
---@field body fun(run: alicloud.dr.PlaybookRun)
---@field digest string sha256 of its file, or of its compiled function
---@field file string? its absolute path, or the name of a ready playbook
---@field params alicloud.dr.Param[]? nil: it takes any parameters
---@field kind "drill"|"planned"|"unplanned"|nil kind of its runs, if the run's options name none
---@field summary string? one line
---@field graceful_only string? why it has no ungraceful way, and what to use instead
---@field source alicloud.dr.PlaybookSource? its text; nil: it was made from a function
---@field no_return boolean? its text has, or may use, a step that is a point of no return

---@class alicloud.dr.PlaybookOptions
---@field params? alicloud.dr.Param[]
---@field kind? "drill"|"planned"|"unplanned"
---@field summary? string
---@field graceful_only? string it needs the old side: the mode "ungraceful" is refused with these
---words, which say what to use if the old side is given up

local OPTIONS = { params = schema.typed "table", summary = schema.text,
  graceful_only = schema.text,
  kind = schema.choice("drill", "planned", "unplanned") }

local NAME = schema.rule("1 to 200 bytes without control characters", function(value)
  return type(value) == "string" and #value >= 1 and #value <= 200 and not value:find("%c")
end)

local metatable = {
  __name = "alicloud.dr.Playbook",
  __tostring = function(playbook)
    return ("alicloud.dr.Playbook(%s, %s)"):format(playbook.name, playbook.digest:sub(1, 12))
  end,
}

--- Makes a playbook.
---@param name string
---@param options? alicloud.dr.PlaybookOptions
---@param body fun(run: alicloud.dr.PlaybookRun): any, any `nil, err` ends the run as failed
---@return alicloud.dr.Playbook
---@overload fun(name: string, body: fun(run: alicloud.dr.PlaybookRun)): alicloud.dr.Playbook
function M.new(name, options, body)
  if body == nil then options, body = nil, options end
  if not NAME.test(name) then
    error(("dr.playbook: name: got %s; allowed: %s"):format(schema.show(name), NAME.allowed), 2)
  end
  if type(body) ~= "function" then
    error(("dr.playbook: %q: got %s; allowed: a function"):format(name, schema.show(body)), 2)
  end
  local where = ("dr.playbook: %q"):format(name)
  local playbook = schema.check(where, options, OPTIONS, 2)
  if playbook.params then params.declare(where, playbook.params, 2) end
  playbook.name, playbook.body = name, bounded.raising(body)
  playbook.digest = core.sha256(string.dump(body, true))
  return setmetatable(playbook, metatable)
end

--- Reads parameters by the declarations of a playbook.
---@param playbook alicloud.dr.Playbook
---@param given table<string, any>
---@return table<string, any>|nil params
---@return string? message
function M.read_params(playbook, given)
  return params.read(playbook.params, given)
end

--- Whether a value is a playbook.
---@param value any
---@return boolean
function M.is(value)
  return getmetatable(value) == metatable
end

-- Makes a path absolute, since a run may be resumed from another directory. If the name of the
-- directory is not UTF-8, which a journal could not keep, the path stays relative.
local function absolute(path)
  local directory = core.process().directory
  if path:sub(1, 1) == "/" or not directory or not utf8.len(directory) then return path end
  return directory:gsub("/$", "") .. "/" .. path:gsub("^%./+", "")
end

--- Makes a playbook from its text.
---@param source alicloud.dr.PlaybookSource
---@return alicloud.dr.Playbook|nil
---@return string? message
function M.load_source(source)
  local chunk, message = sources.compile(source)
  if not chunk then return nil, message end
  local ok, playbook = guard.call(chunk, source.path)
  if not ok then return nil, errors.words_of(playbook) end
  if not M.is(playbook) then
    return nil, ("%s: got %s; allowed: a file that returns dr.playbook(name, function)"):format(
      source.path, schema.show(playbook))
  end
  playbook.digest, playbook.file = source.digest, source.file or absolute(source.path)
  playbook.source, playbook.no_return = source, sources.names_no_return(source)
  return playbook
end

--- Loads a playbook file: Lua text that returns a playbook. Its own modules are files beside it;
--- see alicloud.dr.playbook.source.
---@param path string
---@param read_file fun(path: string): string|nil, string?, string?
---@return alicloud.dr.Playbook|nil
---@return string? message
function M.load(path, read_file)
  local source, message = sources.read(path, read_file)
  if not source then return nil, message end
  return M.load_source(source)
end

--- Runs a playbook with a journal, or continues the run that the journal holds.
---@param playbook alicloud.dr.Playbook
---@param options alicloud.dr.RunOptions
---@return alicloud.dr.RunResult|nil
---@return alicloud.Error? err
function M.run(playbook, options)
  if not M.is(playbook) then
    error(("dr.run: playbook: got %s; allowed: what dr.playbook returns"):format(
      schema.show(playbook)), 2)
  end
  return runner.run(playbook, options)
end

--- Walks through a playbook, one step at a time; see alicloud.dr.playbook.walk.
---@param playbook alicloud.dr.Playbook|string a playbook, or the path of its file, which must be
---trusted: see alicloud.base.trusted_file
---@param options alicloud.dr.RunOptions
---@return alicloud.dr.Walk
function M.walk(playbook, options)
  local message
  if type(playbook) == "string" then
    playbook, message = M.load(playbook, trusted_files.read)
    if not playbook then error("dr.walk: " .. message, 2) end
  end
  if not M.is(playbook) then
    error(("dr.walk: playbook: got %s; allowed: what dr.playbook returns, or a path"):format(
      schema.show(playbook)), 2)
  end
  return walks.new(playbook, options)
end

return M
