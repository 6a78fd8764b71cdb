-- What a change costs or saves: the same calls with two builds that take turns in one run.
--   lua5.4 spec/bench/compare.lua BUILD OTHER [ROUNDS] [ROW...]
-- Each directory is a build/ of its own, beside the lua/ that belongs to it. For every row the
-- medians of the CPU time and, with valgrind, the instructions in user space; a ratio is that of
-- the first to the second, the median over the rounds.

local rounds = require "spec.bench.rounds"
local server = require "spec.bench.server"

local first, second = arg[1], arg[2]
assert(second, "usage: compare.lua BUILD OTHER [ROUNDS] [ROW...]")
local count = math.tointeger(tonumber(arg[3] or "7"))
local wanted = {}
for i = 4, #arg do wanted[arg[i]] = true end

local here = os.getenv "LUA_CPATH" or ";"

-- The variables with which Lua finds a build, and the trust of the server.
local function settings(build, at)
  local lua = build .. "/../lua/"
  return { "env", ("LUA_PATH=%s?.lua;%s?/init.lua;;"):format(lua, lua),
    ("LUA_CPATH=%s/?.so;%s"):format(build, here), "BENCH_CA_PATH=" .. at.ca_path }
end

local at = server.start(rounds.pin(rounds.processors - 1))

local ROWS = {
  { "http", "one call, HTTP", { "call", at.url }, { "3000" } },
  { "https", "one call, HTTPS", { "call", at.tls }, { "2000" } },
  { "flight", "64 in flight", { "flight", at.url }, { "8000", "64" } },
  { "page", "a page of 100 groups", { "page", at.page }, { "300" } },
  { "sign", "signing", { "sign", "-" }, { "100000" } },
  { "decode", "decoding", { "decode", "-" }, { "300" } },
}

local function words(...)
  local all = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all) end
  return all
end

local function side(build, row)
  return { of = function(run) return run.figures[1] end, words = words(settings(build, at),
    { "lua5.4", "spec/bench/ours.lua" }, row[3], row[4]) }
end

local function instructions(build, row)
  return rounds.per_call(words({ "lua5.4", "spec/bench/ours.lua" }, row[3]), settings(build, at),
    row[4][2])
end

local ok, problem = pcall(function()
  print(("%-22s %10s %10s %7s %12s %12s %7s"):format("", "µs CPU", "other", "ratio", "instructions",
    "other", "ratio"))
  for _, row in ipairs(ROWS) do
    if not next(wanted) or wanted[row[1]] then
      local a, b, ratio = rounds.compare(count, side(first, row), side(second, row))
      local left, right = instructions(first, row), instructions(second, row)
      print(("%-22s %9.2f %10.2f %7.3f %12.0f %12.0f %7.3f"):format(row[2], a, b, ratio, left or 0,
        right or 0, left and left / right or 0 / 0))
    end
  end
end)
at.stop()
assert(ok, problem)
