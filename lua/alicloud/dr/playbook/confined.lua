--- The main program of the confined process in which a playbook is planned or traced. It is started
--- as
---
---     INTERPRETER -E confined.lua CORE.SO CONFINE.SO MEMORY CPU
---
--- with one end of a socket pair as descriptor 3. It gives up all its rights before it reads
--- anything: from then on it can open no file or socket and start no program, and has limits for
--- memory (bytes) and CPU time (seconds, 0 for none). It asks its parent (alicloud.cli.confine) for
--- all it needs, one JSON value a line: the job, the text of modules, and answers of the service.
--- Lua code in this process can do nothing but ask.

local core_path, confine_path, memory, cpu = ...

local function open(path, name)
  return assert(package.loadlib(path, "luaopen_alicloud_" .. name))()
end

local core = open(core_path, "core")
package.loaded["alicloud.core"] = core
local confine = open(confine_path, "confine")
cpu = math.tointeger(tonumber(cpu))
local confined = confine.enter { memory = math.tointeger(tonumber(memory)),
  cpu = cpu > 0 and cpu or nil }

local LONGEST_FRAME = 16 * 1024 * 1024
local DECODING = { max_bytes = LONGEST_FRAME }

---@class alicloud.dr.ConfinedLink the connection of a job to the parent process
local link = {}
local rest = ""

local function next_line()
  local parts, first = { rest }, rest:find("\n", 1, true)
  while not first do
    local bytes = confine.receive()
    if not bytes then error("the other end is gone", 0) end
    parts[#parts + 1], first = bytes, bytes:find("\n", 1, true)
  end
  local last = parts[#parts]
  rest, parts[#parts] = last:sub(first + 1), last:sub(1, first - 1)
  return table.concat(parts)
end

--- The next frame from the parent process.
---@return table
function link.receive()
  local frame, message = core.decode(next_line(), DECODING)
  if type(frame) ~= "table" then error("a frame: " .. tostring(message), 0) end
  return frame
end

--- Sends a frame. Raises if JSON cannot hold it, or it is too large.
---@param frame table
function link.send(frame)
  local text = core.encode(frame)
  if #text > LONGEST_FRAME then error("more than 16 MiB to tell", 0) end
  assert(confine.send(text .. "\n"))
end

--- Sends a frame and returns the answer.
---@param frame table
---@return table
function link.ask(frame)
  link.send(frame)
  return link.receive()
end

local function is_ours(name)
  return name:find "^alicloud%.?" ~= nil
end

local function load_ours(text, path)
  return load(text, "@" .. path, "t")
end

-- A searcher for `require`: asks the parent for the text of a module. For a module that is not a
-- Lua file it gives a stub, which raises when anything of it is called.
local function from_the_other(name)
  local answer = link.ask { type = "module", name = name }
  if answer.text then
    local read = is_ours(name) and load_ours or require "alicloud.base.chunk".load
    return assert(read(answer.text, answer.path)), answer.path
  end
  if is_ours(name) then return "\n\t" .. tostring(answer.missing) end
  return function() return require "alicloud.dr.playbook.sandbox".stub(name) end
end

local function run()
  package.path, package.cpath = "", ""
  package.searchers[2], package.searchers[3], package.searchers[4] = from_the_other, nil, nil
  link.send { type = "confined", limits = confined.limits, no_new_privs = confined.no_new_privs,
    seccomp = confined.seccomp, landlock = confined.landlock,
    missing = core.array(confined.missing) }
  local job = link.receive()
  require "alicloud.dr.playbook.sandbox".enter()
  link.send { type = "result", value = require(job.entry).run(job, link) }
end

local ok, raised = pcall(run)
if ok then return end
local refusal = type(raised) == "table" and rawget(raised, "refusal") or nil
-- The error may be an object of the playbook whose __tostring raises.
local shown, text = pcall(tostring, refusal or raised)
link.send { type = "failed", message = shown and text or "an error that cannot be shown",
  refused = refusal ~= nil }
