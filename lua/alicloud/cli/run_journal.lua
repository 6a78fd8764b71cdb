--- Where the journals of runs are kept, and which of them a run goes on with.

local core = require "alicloud.core"
local events = require "alicloud.dr.playbook.events"
local files = require "alicloud.dr.store.file"
local journals = require "alicloud.dr.journal"
local options = require "alicloud.cli.options"
local states = require "alicloud.dr.playbook.state"
local terminal = require "alicloud.cli.terminal"
local trusted_files = require "alicloud.base.trusted_file"

local M = {}

local COMMON = "/var/lib/alicloud-dr"

local function is_common(path)
  local place = trusted_files.place(path)
  return place ~= nil and place.team ~= nil and place.fault == nil
end

--- Where journals and locks are kept if nobody says otherwise: where the machine's operators keep
--- theirs, if this user is one of them.
---@param getenv fun(name: string): string|nil
---@param common? string the directory of all operators (/var/lib/alicloud-dr)
---@return string
function M.directory(getenv, common)
  local own = getenv "ALICLOUD_DR_JOURNALS"
  if own and own ~= "" then return own end
  if is_common(common or COMMON) then return common or COMMON end
  local state, home = getenv "XDG_STATE_HOME", getenv "HOME"
  if state and state:sub(1, 1) == "/" then return state .. "/alicloud-dr" end
  if home and home ~= "" then return home .. "/.local/state/alicloud-dr" end
  options.refuse "--journal: is missing, and $HOME does not say where it is kept"
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

local function is_free(path, directory, new)
  local text, err = files.read_trusted(path)
  if not text and err.errno == "ENOENT" then return not is_strange(path .. ".lock", directory) end
  if not text and is_strange(path, directory) then return false end
  if not text then return nil, err end
  if new then return false end
  local state
  state, err = M.state(path, text)
  if not state then return nil, err end
  -- A hook may have written a note behind the end.
  return not (state.ending and state.ending.type == "finished")
end

local ALONE = [[
alicloud-dr: journals and locks are kept in %s, for you alone: other users'
    runs do not see them. For all operators: sudo install -d -m 2770 -g GROUP %s
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
  if is_new then io.err(ALONE:format(terminal.clean(directory, 1000), COMMON)) end
  return true
end

--- The journal of the unfinished run of this playbook with these parameters, or a new name.
---@param playbook alicloud.dr.Playbook
---@param params table
---@param directory string that is there
---@param new boolean? a new name in any case
---@return string|nil path
---@return alicloud.Error? err
function M.find(playbook, params, directory, new)
  local stem = playbook.file:match("([^/]*)$"):gsub("%.lua$", ""):gsub("[^%w_-]", "-")
  local key = core.sha256(core.encode { playbook = playbook.name, params = params }):sub(1, 10)
  local n = 0
  while true do
    n = n + 1
    local path = ("%s/%s-%s-%d.jsonl"):format(directory, stem, key, n)
    local free, err = is_free(path, directory, new)
    if free == nil then return nil, err end
    if free then return path end
  end
end

return M
