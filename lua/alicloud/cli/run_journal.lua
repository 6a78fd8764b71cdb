--- Where runs live, and which of them a run goes on with.

local core = require "alicloud.core"
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

-- It becomes a part of names that are printed to be typed.
local function checked(directory, name)
  local fault = schema.refusal(schema.text, directory)
  if fault then options.refuse(("%s: %s"):format(name, fault)) end
  return directory
end

--- Where journals and locks are kept if nobody says otherwise: where the machine's operators keep
--- theirs, if this user is one of them.
---@param getenv fun(name: string): string|nil
---@param common? string the directory of all operators (/var/lib/alicloud-dr)
---@return string
function M.directory(getenv, common)
  local own = getenv "ALICLOUD_DR_JOURNALS"
  if own and own ~= "" then return checked(own, "ALICLOUD_DR_JOURNALS") end
  if is_common(common or COMMON) then return common or COMMON end
  local state = user_directory.state(getenv)
  if state then return checked(state, "$XDG_STATE_HOME or $HOME") .. "/alicloud-dr" end
  options.refuse "--journal: is missing, and $HOME does not say where it is kept"
end

--- Where runs live if nobody says otherwise: in the shared store that the environment names, else
--- in a directory.
---@param getenv fun(name: string): string|nil
---@return string directory, or address of a store
function M.place(getenv)
  return run_store.named(getenv) or M.directory(getenv)
end

--- What the text of a journal tells of its run.
---@param path string
---@param text string
---@return alicloud.dr.RunState|nil
---@return alicloud.Error? err
function M.state(path, text)
  local reading, damage = events.read(text)
  if not reading then return nil, journals.damaged(path, damage) end
  return states.fold(reading.events)
end

-- A stranger's file tells nothing of our runs; one of the team that cannot be read does.
local function is_strange(path, directory)
  local about, place = core.look(path), trusted_files.place(directory)
  return about ~= nil and not about.own and place ~= nil and about.gid ~= place.team
end

-- Two files of one name in two directories are two playbooks, unless their texts are one.
local function is_of(state, playbook)
  return state.run == nil or state.run.file == playbook.file or state.digest == playbook.digest
end

-- Whether a name at which no file is may be taken.
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
  -- What was begun in a cluster that is gone is nothing that a new run could disturb.
  if not text and new and err.code == "Client.OtherCluster" then return false end
  if not text then return nil, err end
  if new then return false end
  local state
  state, err = M.state(path, text)
  if not state then return nil, err end
  -- A hook may have written a note behind the end.
  return is_of(state, playbook) and not (state.ending and state.ending.type == "finished")
end

local ALONE = [[
alicloud-dr: journals and locks are kept in %s, for you alone: other users' runs do not see them
    for all operators: sudo install -d -m 2770 -g GROUP %s
]]

--- Makes the directory for journals, and tells once whose locks are in it.
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

-- Names of files and of runs in stores have an end.
local LONGEST = 100

local function stem_of(playbook)
  return (playbook.file:match("([^/]*)$"):gsub("%.lua$", ""):gsub("[^%w_-]", "-"):sub(1, LONGEST))
end

-- An unfinished run; most files are of finished ones, whose end says so.
local function open_run(path, context)
  local text = stores.read_trusted(path, context)
  if not text or text:sub(-65536):find('"type":"finished"', 1, true) then return nil end
  local state = M.state(path, text)
  return state and state.run and not (state.ending and state.ending.type == "finished") and state
    or nil
end

local function is_same(a, b)
  return core.encode { a } == core.encode { b }
end

-- A second run beside it would be of a group whose production it has stopped, or moved half-way.
local function is_half_done(state, params)
  local same_group = params.group ~= nil and is_same(params.group, state.params.group)
    or params.groups ~= nil and is_same(params.groups, state.params.groups)
  return same_group and (states.no_return(state) ~= nil
    or productions.down(state) ~= nil)
end

-- The unfinished run that a command line means, whose parameters may have been corrected since, or
-- are to be corrected now.
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

--- The journal of the unfinished run of this playbook with these parameters, else of one of the
--- same group that is half done, or a new name.
---@param playbook alicloud.dr.Playbook
---@param params table
---@param place string directory that is there, or address of a store
---@param context alicloud.dr.StoreContext
---@param new boolean? a new name in any case
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
