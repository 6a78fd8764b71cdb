--- `alicloud-dr playbooks`: the ready playbooks, what they take, and a copy of one to edit.

local core = require "alicloud.core"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local params = require "alicloud.dr.playbook.params"
local ready = require "alicloud.playbooks"
local session = require "alicloud.cli.session"

local M = { name = "playbooks", summary = "List the ready playbooks and what they take." }

local EPILOG = [[
Run one by its name:  alicloud-dr run failover group=pg-orders region=cn-shanghai
See it first:         alicloud-dr plan failover group=pg-orders region=cn-shanghai

Exit codes: 0 done, 2 usage, or the copy could not be written.]]

---@param command table of argparse
function M.configure(command)
  command:argument "name":args "?":description "Only this one."
  command:option "--copy":argname "<name>"
    :description "Write NAME.lua into this directory, to edit and to run by its path."
  options.add_json(command)
  command:epilog(EPILOG)
end

local function load(name, read_file)
  local playbook, message = ready.load(name, read_file)
  if not playbook then options.refuse("playbook: " .. message) end
  return playbook
end

local function print_playbook(io, playbook)
  io.out(("  %s   %s\n"):format(playbook.name, playbook.summary))
  for _, param in ipairs(playbook.params) do
    local note = param.required and " (needed)"
      or param.default ~= nil and (" (%s)"):format(param.default) or ""
    io.out(("    %-11s %s%s\n"):format(param.name, param.help, note))
  end
end

local function objects(list)
  local rows = {}
  for i, playbook in ipairs(list) do
    local takes = {}
    for n, param in ipairs(playbook.params) do
      takes[n] = { name = param.name, type = param.type, help = param.help,
        required = param.required == true, default = param.default,
        allowed = params.allowed(param) }
    end
    rows[i] = { name = playbook.name, summary = playbook.summary, kind = playbook.kind,
      params = core.array(takes) }
  end
  return core.array(rows)
end

-- A copy of yesterday may have been edited: it is not written over.
local function write_new(path, text)
  local old = io.open(path, "rb")
  if old then
    old:close()
    return nil, path .. ": is there already"
  end
  local file <close>, message = io.open(path, "wb")
  if not file then return nil, message end
  local ok
  ok, message = file:write(text)
  if ok then ok, message = file:flush() end
  return ok, message
end

local function copy(name, args, terminal, read_file)
  local text, message = ready.text(name, read_file)
  if not text then options.refuse("--copy: " .. message) end
  local path = name .. ".lua"
  local ok
  ok, message = write_new(path, text)
  if not ok then options.refuse("--copy: " .. message) end
  if args.json then return output.json(terminal, output.EXIT.done, { path = path }) end
  terminal.out(("  %s   run it by its path: alicloud-dr run ./%s …\n"):format(path, path))
  return output.EXIT.done
end

--- Runs the command.
---@param args table
---@param terminal alicloud.cli.Io
---@return integer exit_code
function M.run(args, terminal)
  local read_file, list = session.runtime(terminal).read_file, {}
  if args.copy then return copy(args.copy, args, terminal, read_file) end
  for i, name in ipairs(args.name and { args.name } or ready.NAMES) do
    list[i] = load(name, read_file)
  end
  if args.json then
    return output.json(terminal, output.EXIT.done, { playbooks = objects(list) })
  end
  for _, playbook in ipairs(list) do print_playbook(terminal, playbook) end
  return output.EXIT.done
end

return M
