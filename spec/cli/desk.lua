--- A desk with a command on it: words go in, output and exit code come out. The cloud is the
--- emulator in the same process, on its virtual clock.

local lab = require "spec.dr.lab"
local commands = require "alicloud.cli.commands"
local core = require "alicloud.core"
local main = require "alicloud.cli.main"
local scratch = require "spec.scratch"
local shapes = require "alicloud.cli.json_shapes"

local M = {}

-- One group is checked and moved.
local ORDERS = [[
local dr = require "alicloud.dr"
return dr.playbook("orders: move to Shanghai", function(run)
  local orders = run:group("pg-orders", { region = "cn-shanghai" })
  run:step("check", function() return orders:precheck { max_rpo = run.params.max_rpo } end)
  run:step("promote", { point_of_no_return = true }, function()
    return orders:failover { max_rpo = run.params.max_rpo }
  end)
  run:verify("shop answers", function() return true end)
end)
]]

---@class spec.cli.Desk
---@field bench spec.dr.Lab
---@field env table<string, string>
---@field typed string[] lines that somebody types
local Desk = {}
Desk.__index = Desk

--- Makes a desk.
---@param given? table as for spec.dr.lab, and tty, input_tty, color, columns, typed, env, transport
---@return spec.cli.Desk
function M.new(given)
  given = given or {}
  local desk = setmetatable({ typed = given.typed or {}, given = given }, Desk)
  desk.bench = lab.new { group = given.group, world = given.world, faults = given.faults,
    hostile = given.hostile, seed = given.seed, assume = given.assume, events = given.events,
    skew = given.skew }
  desk.env = given.env or {
    ALIBABA_CLOUD_ACCESS_KEY_ID = "emulator",
    ALIBABA_CLOUD_ACCESS_KEY_SECRET = "emulator-secret",
  }
  return desk
end

--- Makes a desk of an operator, with a directory for journals.
---@param script? string|false a playbook, put into a file; else one that moves a group; false: none
---@param given? table as for `new`
---@return spec.cli.Desk
---@return string? file with the playbook
---@return string directory for the files of the spec
function M.room(script, given)
  local directory = scratch.directory()
  local desk = M.new(given)
  desk.env.ALICLOUD_DR_JOURNALS = directory .. "/journals"
  desk.env.USER = "operator"
  if script == false then return desk, nil, directory end
  local file = directory .. "/orders.lua"
  scratch.write(file, script or ORDERS)
  return desk, file, directory
end

--- Raises where what a command has printed with --json is not what is declared of it.
---@param words string[] the command line
---@param object table|nil as it was printed
function M.check_json(words, object)
  local typed, is_json
  for _, word in ipairs(words) do
    typed = typed or commands.is_known(word) and word or nil
    is_json = is_json or word == "--json"
  end
  local fault = is_json and typed and type(object) == "table" and shapes.fault(typed, object)
  if fault then error(("%s: %s"):format(table.concat(words, " "), fault), 0) end
end

--- Runs a command line.
---@param ... string words
---@return { code: integer, out: string, err: string, object: table? }
function Desk:run(...)
  local out, err, given = {}, {}, self.given
  self.told = function() return table.concat(err) end
  local emu = self.bench.emu
  local code = main.run({ ... }, {
    out = function(text) out[#out + 1] = text end,
    err = function(text) err[#err + 1] = text end,
    tty = given.tty or false, input_tty = given.input_tty or false,
    color = given.color or false, ended_by = function() return given.ended_by end,
      columns = given.columns or 100,
    read_line = function() return table.remove(self.typed, 1) end,
    drop_typed = function() self.typed = {} end,
    transport = given.transport or emu.transport,
    runtime = {
      time = emu.runtime.time, monotonic = emu.runtime.monotonic, sleep = emu.runtime.sleep,
      random = emu.runtime.random, random_hex = emu.runtime.random_hex,
      getenv = function(name) return self.env[name] end,
    },
  })
  local ran = { code = code, out = table.concat(out), err = table.concat(err) }
  ran.object = core.decode(ran.out)
  M.check_json({ ... }, ran.object)
  return ran
end

--- Runs one command line in Shanghai, at a desk of its own.
---@param given table|nil as for `new`
---@param ... string words
---@return { code: integer, out: string, err: string, object: table? }
---@return spec.cli.Desk
function M.once(given, ...)
  local desk, words = M.new(given), { ... }
  table.move({ "--region", "cn-shanghai" }, 1, 2, #words + 1, words)
  return desk:run(table.unpack(words)), desk
end

--- The lines of an output.
---@param text string
---@return string[]
function M.lines_of(text)
  local list = {}
  for line in text:gmatch "[^\n]+" do list[#list + 1] = line end
  return list
end

--- The calls that ask for a failover.
---@return table[]
function Desk:sends()
  return self.bench:sends()
end

---@return table[]
function Desk:ledger()
  return self.bench:ledger()
end

--- Every request.
---@return table[]
function Desk:requests()
  return self.bench:requests()
end

return M
