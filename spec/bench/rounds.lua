--- Runs programs in turn, round by round, and keeps the medians. What counts is the median of the
--- ratios of the rounds, for single figures drift on a shared machine.

local core = require "alicloud.core"
local posix = require "spec.posix"

local M = {}

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  pipe:close()
  return (text:gsub("%s+$", ""))
end

--- Whether a program is installed.
---@param program string
---@return boolean
function M.has(program)
  return output_of("command -v " .. program .. " 2>/dev/null") ~= ""
end

M.processors = math.tointeger(tonumber(output_of("getconf _NPROCESSORS_ONLN"))) or 1
M.pinned = M.processors > 1 and M.has "taskset"

--- The words that keep a command to a processor, where that is possible.
---@param processor integer
---@return string[]
function M.pin(processor)
  if not M.pinned then return {} end
  return { "taskset", "-c", tostring(processor) }
end

---@class bench.Run
---@field figures number[] that it printed
---@field wall number seconds
---@field cpu number seconds
---@field peak integer bytes of memory

--- Runs a program to its end.
---@param words string[]
---@return bench.Run
function M.run(words)
  local argv = M.pin(0)
  table.move(words, 1, #words, #argv + 1, argv)
  local start = core.monotonic()
  local pid, output = posix.spawn(argv)
  local text = output:read("a")
  local how, code, cpu, peak = posix.reap(pid)
  local wall = core.monotonic() - start
  output:close()
  assert(how == "exit" and code == 0, table.concat(words, " ") .. ": " .. text)
  local run = { figures = {}, wall = wall, cpu = cpu, peak = peak }
  for figure in text:gmatch("%S+") do run.figures[#run.figures + 1] = tonumber(figure) end
  return run
end

--- The middle one; the list is sorted.
---@param values number[]
---@return number
function M.median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

--- Whether a figure is as is wanted of it.
---@param figure number
---@param wanted string "<= 60" or ">= 350"
---@return boolean
function M.meets(figure, wanted)
  local order, limit = wanted:match "^([<>])= (%S+)$"
  limit = assert(tonumber(limit), wanted)
  if order == "<" then return figure <= limit end
  return figure >= limit
end

--- Ends the program with a failure if figures have missed what is wanted of them.
---@param missed integer
function M.end_well(missed)
  if missed == 0 then return end
  io.stderr:write(("%d of the figures missed what is wanted of them\n"):format(missed))
  os.exit(1)
end

--- One of the sides: a command, and which figure of a run counts.
---@class bench.Side
---@field words string[]
---@field of fun(run: bench.Run): number

--- The medians of two sides that take turns, and the median of their ratios.
---@param rounds integer
---@param ours bench.Side
---@param theirs bench.Side
---@return number ours
---@return number theirs
---@return number ratio
function M.compare(rounds, ours, theirs)
  local left, right, ratios = {}, {}, {}
  for round = 1, rounds do
    local first, second = ours, theirs
    if round % 2 == 0 then first, second = theirs, ours end
    local one, two = first.of(M.run(first.words)), second.of(M.run(second.words))
    if round % 2 == 0 then one, two = two, one end
    left[round], right[round], ratios[round] = one, two, one / two
  end
  return M.median(left), M.median(right), M.median(ratios)
end

--- Instructions of a program in user space, or nil without valgrind.
---@param words string[]
---@param before string[]|nil words before valgrind's own, such as `env` with variables
---@return integer|nil
function M.instructions(words, before)
  if not M.has "valgrind" then return nil end
  local argv = table.move(before or {}, 1, #(before or {}), 1, {})
  table.move({ "valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null" }, 1, 3, #argv + 1,
    argv)
  local pid, output = posix.spawn(table.move(words, 1, #words, #argv + 1, argv))
  local text = output:read("a")
  posix.wait(pid)
  output:close()
  return math.tointeger(tonumber((assert(text:match "Collected : (%d+)", text))))
end

--- Instructions for one call of a program that makes as many as a word says: the difference of two
--- lengths, so that starting does not count. Nil without valgrind.
---@param words string[] all before the number
---@param before string[]|nil as for `instructions`
---@param after string|nil a word behind the number
---@return number|nil
function M.per_call(words, before, after)
  local function at(n)
    local argv = table.move(words, 1, #words, 1, {})
    argv[#argv + 1] = tostring(n)
    argv[#argv + 1] = after
    return M.instructions(argv, before)
  end
  local start = at(100)
  return start and (at(600) - start) / 500
end

return M
