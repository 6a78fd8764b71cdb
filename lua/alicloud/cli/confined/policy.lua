--- `policy`, in the process without rights: rehearses with an emulator in the same process.

local book = require "alicloud.cli.confined.book"
local call_trace = require "alicloud.simulation.call_trace"
local core = require "alicloud.core"

local M = {}

local LONGEST_NOTE = 4000

local function notes(list)
  local result = {}
  for i, text in ipairs(list) do result[i] = text:sub(1, LONGEST_NOTE) end
  return core.array(result)
end

---@param job table
---@param link alicloud.dr.ConfinedLink
---@return table
function M.run(job, link)
  book.forbid_clients()
  local _, begin = book.open(job, link)
  local function load_playbook() return book.load(job) end
  local seen = call_trace.run(load_playbook, { region = begin.region, kind = begin.kind,
    mode = job.mode, params = job.params, world = begin.world,
    alive = function() link.send { type = "progress" } end })
  return { calls = core.array(seen.calls), count = seen.count, worlds = seen.worlds,
    imagined = core.array(seen.imagined), left_out = notes(seen.left_out),
    stopped = seen.stopped and seen.stopped:sub(1, LONGEST_NOTE) }
end

return M
