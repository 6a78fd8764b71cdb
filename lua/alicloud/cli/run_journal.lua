--- Where the journals of runs are kept, and which run a command line goes on with.

local core = require "alicloud.core"
local effects = require "alicloud.dr.playbook.effect"
local events = require "alicloud.dr.playbook.events"
local files = require "alicloud.dr.store.file"
local journals = require "alicloud.dr.journal"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local productions = require "alicloud.dr.playbook.production"
local schema = require "alicloud.base.schema"
local states = require "alicloud.dr.playbook.state"
local stores = require "alicloud.dr.store"
local terminal = require "alicloud.cli.terminal"
local trusted_files = require "alicloud.base.trusted_file"
local user_directory = require "alicloud.base.user_directory"

---@module "alicloud.cli.run_store"
local run_store = lazy.module "alicloud.cli.run_store"
---@module "alicloud.cli.fold"
local fold = lazy.module "alicloud.cli.fold"
---@module "alicloud.dr.store.relocate"
local relocate = lazy.module "alicloud.dr.store.relocate"

local M = {}

local COMMON = "/var/lib/alicloud-dr"

local function is_common(path)
  local place = trusted_files.place(path)
  return place ~= nil and place.team ~= nil and place.fault == nil
end

-- Refuses a directory that cannot be typed: printed commands contain it.
local function checked(directory, name)
  local fault = schema.refusal(schema.text, directory)
  if fault then options.refuse(("%s: %s"):format(name, fault)) end
  return directory
end

--- The default directory of journals and locks: $ALICLOUD_DR_JOURNALS, else the directory that the
--- operators of this machine share if this user is one of them, else one of this user.
---@param getenv fun(name: string): string|nil
---@param common? string the shared directory (/var/lib/alicloud-dr)
---@return string
function M.directory(getenv, common)
  local own = getenv "ALICLOUD_DR_JOURNALS"
  if own and own ~= "" then return checked(own, "ALICLOUD_DR_JOURNALS") end
  if is_common(common or COMMON) then return common or COMMON end
  local state = user_directory.state(getenv)
  if state then return checked(state, "$XDG_STATE_HOME or $HOME") .. "/alicloud-dr" end
  options.refuse "--journal: is missing, and $HOME does not say where it is kept"
end

--- The default place of runs: the shared store that the environment names, else a directory.
---@param getenv fun(name: string): string|nil
---@return string directory, or address of a store
function M.place(getenv)
  return run_store.named(getenv) or M.directory(getenv)
end

--- The state of the run in a journal's text.
---@param path string
---@param text string
---@return alicloud.dr.RunState|nil
---@return alicloud.Error? err
function M.state(path, text)
  local reading, damage = events.read(text)
  if not reading then return nil, journals.damaged(path, damage) end
  return states.fold(reading.events)
end

-- Whether somebody else owns the file and it is not of the team: then it says nothing of our runs.
local function is_strange(path, directory)
  local about, place = core.look(path), trusted_files.place(directory)
  return about ~= nil and not about.own and place ~= nil and about.gid ~= place.team
end

-- Whether a run is of this playbook: the same path, or another path with the same text.
local function is_of(state, playbook)
  return state.run == nil or state.run.file == playbook.file or state.digest == playbook.digest
end

-- Whether a path without a file is free for a new run.
local function is_free_path(path, place, new)
  local moved = not new and relocate.moved_error(path)
  if moved then
    moved.hint = moved.hint .. "; a run of its own, in spite of that: --new"
    return nil, moved
  end
  return not is_strange(path .. ".lock", place) and not relocate.moved_to(path)
end

local function is_free(path, place, playbook, new, context)
  local text, err = stores.read_trusted(path, context)
  local in_files = stores.is_path(path)
  if not text and err.errno == "ENOENT" then
    if not in_files then return true end
    return is_free_path(path, place, new)
  end
  if not text and in_files and is_strange(path, place) then return false end
  -- With --new, a run of a cluster that is gone is left alone, and the next name is tried.
  if not text and new and err.code == "Client.OtherCluster" then return false end
  if not text then return nil, err end
  if new then return false end
  local state
  state, err = M.state(path, text)
  if not state then return nil, err end
  -- An ending `finished` counts even if a hook has written a note behind it.
  return is_of(state, playbook) and not state.is_over
end

local ALONE = [[
alicloud-dr: journals and locks are kept in %s, for you alone: other users' runs do not see them
    for all operators: sudo install -d -m 2770 -g GROUP %s
]]

--- Makes the directory of journals; says once, when it is new, that other users do not see it.
---@param directory string
---@param io alicloud.cli.Io
---@return boolean|nil ok
---@return alicloud.Error? err
function M.make_directory(directory, io)
  local is_new = core.look(directory) == nil
  local ok, err = files.make_directories(directory)
  if not ok then
    err.hint = "keep it elsewhere: --journal FILE, or ALICLOUD_DR_JOURNALS=DIRECTORY"
    return nil, err
  end
  if is_new then io.err(fold.lines(io, ALONE:format(terminal.clean(directory, 1000), COMMON))) end
  return true
end

-- Most characters of a playbook's name within the name of a run: names of files are limited.
local LONGEST = 100

local function stem_of(playbook)
  return (playbook.file:match("([^/]*)$"):gsub("%.lua$", ""):gsub("[^%w_-]", "-"):sub(1, LONGEST))
end

-- The state of an unfinished run, else nil. A journal with `finished` near its end is not parsed.
local function open_run(path, context)
  local text = stores.read_trusted(path, context)
  if not text or text:sub(-65536):find('"type":"finished"', 1, true) then return nil end
  local state = M.state(path, text)
  return state and state.run and not state.is_over and state or nil
end

local function is_same(a, b)
  return core.encode { a } == core.encode { b }
end

-- Whether a run of the same group is past its point of no return or has left production down: a
-- second run beside it must not begin.
local function is_half_done(state, params)
  local same_group = params.group ~= nil and is_same(params.group, state.params.group)
    or params.groups ~= nil and is_same(params.groups, state.params.groups)
  return same_group and (effects.no_return(state) ~= nil
    or productions.down(state) ~= nil)
end

-- The unfinished run that a command line means: one with the same parameters, else a half-done run
-- of the same group, whose parameters are then corrected.
local function unfinished_run(playbook, params, place, context)
  local names, err = stores.list(place, context)
  if not names then return nil, err end
  local start = place .. (stores.is_path(place) and "/" or "#") .. stem_of(playbook) .. "-"
  local found = stores.each(names, context, function(path)
    return path:sub(1, #start) == start and open_run(path, context)
  end)
  local half_done
  for i, path in ipairs(names) do
    local state = found[i]
    if state and state.run.playbook == playbook.name then
      if is_of(state, playbook) and is_same(params, state.params) then return path end
      if is_half_done(state, params) then half_done = half_done or path end
    end
  end
  return half_done
end

--- The journal of the unfinished run of this playbook with these parameters, else of a half-done
--- run of the same group, else a new name.
---@param playbook alicloud.dr.Playbook
---@param params table
---@param place string an existing directory, or the address of a store
---@param context alicloud.dr.StoreContext
---@param new boolean? always a new name
---@return string|nil name path or address
---@return alicloud.Error? err
function M.find(playbook, params, place, context, new)
  local open, fault
  if not new then open, fault = unfinished_run(playbook, params, place, context) end
  if open or fault then return open, fault end
  local key = core.sha256(core.encode { playbook = playbook.name, params = params }):sub(1, 10)
  local form, n = stores.is_path(place) and "%s/%s-%s-%d.jsonl" or "%s#%s-%s-%d", 0
  while true do
    n = n + 1
    local path = form:format(place, stem_of(playbook), key, n)
    local free, err = is_free(path, place, playbook, new, context)
    if free == nil then return nil, err end
    if free then return path end
  end
end

return M
