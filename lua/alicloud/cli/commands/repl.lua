--- `alicloud-dr repl`: Lua with a client in it. Results print themselves, errors explain
--- themselves, and Ctrl-C comes back to the prompt.

local alicloud = require "alicloud"
local cli_clients = require "alicloud.cli.client"
local clients = require "alicloud.client"
local core = require "alicloud.core"
local dr = require "alicloud.dr"
local fold = require "alicloud.cli.fold"
local guard = require "alicloud.base.guard"
local histories = require "alicloud.cli.repl.history"
local lazy = require "alicloud.base.lazy"
local options = require "alicloud.cli.options"
local output = require "alicloud.cli.output"
local readable = require "alicloud.base.readable"
local reader = require "alicloud.cli.repl.reader"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.cli.commands.manual"
local manual = lazy.module "alicloud.cli.commands.manual"
---@module "alicloud.cli.explain_code"
local explain_code = lazy.module "alicloud.cli.explain_code"

---@type alicloud.cli.Command
local M = {}

-- The only signal that does not end the session.
local SIGINT = 2

local EPILOG = [[
What is there at the start:
  ebs, ecs     operations as methods: ebs:DescribeDiskReplicaGroups {}
  client, dr, alicloud, core
  help "Name"  an operation, a waiter, an error code, or a topic of the manual;
               help() lists the topics and the operations
  explain(err) what an error or a code means, what to do; alone: the last one
  _            the first result of the line before
  dr.walk(FILE, { client = client, journal = PATH })
               a playbook step by step: next() does one, rest() the others

With the Lua module readline (Debian: lua-readline) Tab completes operations, methods, parameters
and fields, and there is a history in $XDG_STATE_HOME/alicloud-dr/history (~/.local/state), for its
owner alone and without lines that hold keys, tokens or passwords or begin with a blank. What is
shown has the session token masked. Ctrl-C stops what runs and comes back to the prompt, Ctrl-D
ends.

Examples:
  alicloud-dr repl --region cn-shanghai
  echo 'ebs:DescribeRegions {}' | alicloud-dr repl --region cn-shanghai

Exit codes: 0 done, 1 a line failed and nobody was typing, 2 usage.]]

function M.configure(command)
  options.add_common(command, "Region of the client")
  command:flag("--no-history", "Neither read nor write the history.")
  command:epilog(EPILOG)
end

-- Returns the function that masks the client's credentials in a text.
local function hider(client)
  return function(text)
    local keys = clients.held(client)
    if not keys then return text end
    text = keys.access_key_secret:mask(text)
    return keys.security_token and keys.security_token:mask(text) or text
  end
end

local function environment(io, client, hide)
  local env = setmetatable({
    alicloud = alicloud, core = core, dr = dr, client = client,
    ebs = client:service "ebs", ecs = client:service "ecs",
  }, { __index = _G })

  function env.print(...)
    io.out(readable.values(table.pack(...), hide) .. "\n")
  end

  function env.help(name)
    if manual.is_topic(name) then return manual.show(name, io) end
    if name == nil then manual.list(io) end
    local ok, text = guard.call(env.ebs.help, env.ebs, name)
    if not ok then error(text, 2) end
    return text
  end

  function env.explain(err)
    local what = err or env.err
    if what == nil then
      error("explain: there is no error yet; allowed: an error or a code as errors print it", 0)
    end
    local ok, explanation, message = guard.call(explain_code.explain, what)
    if not ok then error(explanation, 0) end
    if not explanation then error(message, 2) end
    io.out(readable.value(explanation, hide) .. "\n")
  end

  return env
end

local function load_text(text, env)
  return load(text, "=repl", "t", env)
end

-- Compiles text as an expression first, so that its values are shown. It is compiled as an argument
-- of a call: as a tail call it would vanish from the stack, and errors would name this file.
local function compile(text, env)
  local chunk, message = load_text("return " .. text, env)
  local packed = chunk and load_text("local pack = ... return pack(" .. text .. "\n)", env)
  if packed then return packed end
  if not chunk then chunk, message = load_text(text, env) end
  if not chunk then return nil, message end
  return function(pack) return pack(chunk()) end
end

local function ends_too_early(text, env)
  local _, message = load_text(text, env)
  return message ~= nil and message:find "<eof>'?$" ~= nil
end

local function is_unfinished(text, env)
  return ends_too_early(text, env) or ends_too_early("return " .. text, env)
end

-- Most lines of a chunk: with each of them all are compiled anew.
local MOST_LINES = 2000

-- Reads lines until they are a whole chunk of Lua.
local function read_chunk(lines, env)
  local text, count = lines.read "> ", 1
  text = text and text:gsub("^%s*=", "") -- an old habit
  while text and not compile(text, env) and is_unfinished(text, env) do
    local more = lines.read ">> "
    if not more then return text end
    text, count = text .. "\n" .. more, count + 1
    if count > MOST_LINES then
      options.refuse(("standard input: got more than %d lines that are no whole piece of Lua; a "
        .. "longer one can be a file, for dofile"):format(MOST_LINES))
    end
    if #text > terminal.LONGEST_LINE then
      options.refuse "standard input: got more than 1 MiB that is no whole piece of Lua"
    end
  end
  return text
end

local function evaluate(io, env, text, hide)
  local chunk, message = compile(text, env)
  if not chunk then error(message, 0) end
  local results = chunk(table.pack)
  if results.n == 0 then return end
  env._ = results[1]
  if results[1] == nil and results[2] ~= nil then env.err = results[2] end
  io.out(readable.values(results, hide) .. "\n")
end

local function complain(io, env, raised, hide)
  if type(raised) == "table" then env.err = raised end
  local text = readable.value(raised, hide)
  io.err(terminal.paint(io, "red", text) .. "\n")
end

-- Reads and evaluates one chunk; false at the end of the input.
local function turn(io, env, lines, state)
  local text = read_chunk(lines, env)
  if not text then return false end
  local ok, raised = pcall(evaluate, io, env, text, state.hide)
  if ok then return true end
  if guard.is_interrupt(raised) then error(raised, 0) end
  state.failed = true
  complain(io, env, raised, state.hide)
  return true
end

local function talk(io, env, lines, state)
  while true do
    local ok, more = pcall(turn, io, env, lines, state)
    if ok and not more then return end
    local is_break = guard.is_interrupt(more) and io.input_tty
      and (io.ended_by() or SIGINT) == SIGINT
    if not ok and not is_break then error(more, 0) end
    if not ok then
      core.clear_interrupt()
      io.out "\n"
    end
  end
end

function M.run(args, io)
  if args.json then options.refuse "--json: got it for the REPL; allowed: the other commands" end
  local client <close> = cli_clients.open(args, io)
  local hide = hider(client)
  local env = environment(io, client, hide)
  local history = not args.no_history and histories.place(cli_clients.runtime(io).getenv) or nil
  local interrupt = io.input_tty and core.keep_interrupt() or function() end
  local lines = reader.new(io, env, history and histories.open(history, hide), interrupt)
  if io.input_tty then
    io.out(fold.hang(io, ("%s, %s. help() lists what there is, Ctrl-D ends."):format(
      alicloud._VERSION, tostring(client)), 2) .. "\n")
  end
  local state = { hide = hide }
  talk(io, env, lines, state)
  lines.close()
  if io.input_tty then io.out "\n" end
  return state.failed and not io.input_tty and output.EXIT.failed or output.EXIT.done
end

return M
