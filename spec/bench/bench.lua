-- Our side next to its floor, in one run: lua5.4 spec/bench/bench.lua BUILD [ROUNDS] [ROW...]
-- Prints a Markdown table of medians. Client and server keep to a processor each where taskset
-- allows it; what a row needs and is not installed is skipped and named.

local rounds = require "spec.bench.rounds"
local server = require "spec.bench.server"

local build = arg[1] or "build"
local count = math.tointeger(tonumber(arg[2] or "7"))
local wanted = {}
for i = 3, #arg do wanted[arg[i]] = true end

local floor, lua = build .. "/spec/floor", "lua5.4"

local function first(run) return run.figures[1] end
local function second(run) return run.figures[2] end
local function cpu_ms(run) return run.cpu * 1e3 end
local function peak_mb(run) return run.peak / 1024 / 1024 end

local function ours(of, ...)
  return { words = { lua, "spec/bench/ours.lua", ... }, of = of }
end

local function theirs(of, ...)
  return { words = { floor, ... }, of = of }
end

-- The same with other variables of the environment.
local function with(settings, side)
  local words = { "env", table.unpack(settings) }
  return { words = table.move(side.words, 1, #side.words, #words + 1, words), of = side.of }
end

local function put(row)
  print(("| %s | %s | %.4g | %.4g | %s | **%.2f** | %s |"):format(row.name, row.against, row.ours,
    row.theirs, row.unit, row.ratio, row.goal))
  io.flush()
end

local function compare(name, against, unit, goal, left, right)
  local a, b, ratio = rounds.compare(count, left, right)
  put { name = name, against = against, ours = a, theirs = b, unit = unit, ratio = ratio,
    goal = goal }
end

-- The vendor's SDKs for Node, which `make interop` fetches; no proxy may come between.
local function node(...)
  local words = { "env", "NODE_PATH=" .. build .. "/interop/node_modules" }
  for _, name in ipairs { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY" } do
    table.move({ "-u", name }, 1, 2, 2, table.move(words, 2, #words, 4, words))
  end
  return { words = table.move({ "node", "spec/bench/vendor.js", ... }, 1, select("#", ...) + 2,
    #words + 1, words), of = first }
end

local function runs(side)
  local words = {}
  for i, word in ipairs(side.words) do words[i] = ("'%s'"):format(word) end
  return os.execute(table.concat(words, " ") .. " >/dev/null 2>&1") == true
end

local function skip(name, what)
  io.stderr:write(("%s: skipped, %s is not installed\n"):format(name, what))
end

local CALL = "libcurl easy + ACS3 + cJSON in C"
local MULTI = "libcurl multi + ACS3 + cJSON in C"

-- How the vendor's SDKs are asked; the first two sign with ACS3, the last is the generation before.
local VENDOR = {
  { "openapi-core", "openapi-core V3 POST query" },
  { "openapi-client", "openapi-client V3 POST query" },
  { "pop-core", "pop-core HMAC-SHA1 POST" },
}

local function vendors(at)
  io.stderr:write "the vendor's C++ and Go SDKs: skipped, neither Debian nor npm has one for it\n"
  if not rounds.has "node" then return skip("the vendor's Node SDKs", "node") end
  if not runs(node()) then
    return skip("the vendor's Node SDKs", "what `make interop` fetches")
  end
  for _, peer in ipairs(VENDOR) do
    compare("one call at a time, HTTP", ("the vendor's `%s` for Node"):format(peer[1]), "µs CPU",
      "≤ 0.19", ours(first, "call", at.url, "3000"), node(peer[2], at.url, "3000"))
  end
end

local function rows(at)
  local hashed = { "BENCH_CA_PATH=" .. at.ca_path, "FLOOR_CA_PATH=" .. at.ca_path }
  local bundle = { "BENCH_CA_FILE=" .. at.ca_file }
  local usual = { "FLOOR_CA_FILE=" .. at.ca_file, "FLOOR_CA_PATH=" .. at.ca_path }
  local curl = { words = { "curl", "-s", "-o", "/dev/null", "-X", "POST", "--cacert", at.ca_file,
    "--capath", at.ca_path, at.tls .. "/" }, of = cpu_ms }
  return {
    { "http", function()
      compare("one call at a time, HTTP", CALL, "µs CPU", "≤ 1.10",
        ours(first, "call", at.url, "3000"), theirs(first, "call", at.url, "3000"))
    end },
    { "https", function()
      compare("one call at a time, HTTPS", CALL, "µs CPU", "≤ 1.10",
        with(hashed, ours(first, "call", at.tls, "2000")),
        with(hashed, theirs(first, "call", at.tls, "2000")))
    end },
    { "vendor", function() vendors(at) end },
    { "instructions", function()
      local left = rounds.per_call { lua, "spec/bench/ours.lua", "call", at.url }
      local right = rounds.per_call { floor, "call", at.url }
      if not left then return skip("instructions", "valgrind") end
      put { name = "instructions of a call", against = CALL, ours = left / 1e3,
        theirs = right / 1e3, unit = "thousand", ratio = left / right, goal = "≤ 1.04" }
    end },
    { "flight", function()
      compare("64 in flight, HTTP", MULTI, "µs CPU", "≤ 1.08",
        ours(first, "flight", at.url, "8000", "64"), theirs(first, "flight", at.url, "8000", "64"))
      compare("64 in flight, HTTPS", MULTI, "µs CPU", "≤ 1.08",
        with(hashed, ours(first, "flight", at.tls, "6000", "64")),
        with(hashed, theirs(first, "flight", at.tls, "6000", "64")))
    end },
    { "sign", function()
      compare("Lua table to Authorization", "whole ACS3 in C", "µs CPU", "≤ 1.4",
        ours(first, "sign", "-", "100000"), theirs(first, "sign", "-", "100000"))
    end },
    { "decode", function()
      if not pcall(require, "cjson") then return skip("decode", "lua-cjson") end
      compare("page of 100 groups to Lua tables", "lua-cjson", "µs CPU", "≤ 1.0",
        ours(first, "decode", "-", "300"), ours(first, "lua-cjson", "-", "300"))
    end },
    { "page", function()
      compare("a whole describe call of that page", CALL, "µs CPU", "",
        ours(first, "page", at.page, "300"), theirs(first, "page", at.page, "300"))
    end },
    { "storm", function()
      compare("1,000 × (failover + 3 looks), 64 in flight", MULTI, "µs CPU", "≤ 1.15",
        ours(first, "storm", at.url, "1000", "64"), theirs(first, "storm", at.url, "1000", "64"))
      if not at.late then return skip("storm with latency", "libnginx-mod-http-echo") end
      -- Nobody can be faster than 1000 * 4 * 5 ms / 64.
      compare("the same, 5 ms latency (bound: 0.31 s)", MULTI, "s wall", "",
        ours(second, "storm", at.late, "1000", "64"),
        theirs(second, "storm", at.late, "1000", "64"))
    end },
    { "cold", function()
      if not rounds.has "curl" then return skip("cold", "curl") end
      compare("cold start to the first HTTPS answer, hashed directory", "`curl`", "ms CPU",
        "≤ 0.30", with(hashed, ours(cpu_ms, "once", at.tls, "1")), curl)
      compare("the same, bundle file alone", "`curl`", "ms CPU", "≤ 1.1",
        with(bundle, ours(cpu_ms, "once", at.tls, "1")), curl)
      compare("peak memory of that process", "`curl`", "MB", "≤ 1.1",
        with(hashed, ours(peak_mb, "once", at.tls, "1")), { words = curl.words, of = peak_mb })
    end },
    { "fan", function()
      compare("cold 64-way HTTPS fan-out", "libcurl's default trust", "ms CPU", "≤ 0.06",
        with(hashed, ours(cpu_ms, "fan", at.tls, "1", "64")),
        with(usual, theirs(cpu_ms, "fan", at.tls, "1", "64")))
    end },
    { "require", function()
      compare('`require "alicloud"`, the whole process', "bare `lua5.4`", "ms CPU",
        "≤ 6 ms more", ours(cpu_ms, "require"),
        { words = { lua, "-e", "" }, of = cpu_ms })
    end },
  }
end

-- Where the instructions of a call go; what is left is libcurl and the answer.
local function stages(at)
  local function each(...) return rounds.per_call { ... } end
  local script = "spec/bench/ours.lua"
  local whole, plan = each(lua, script, "call", at.url), each(lua, script, "plan", at.url)
  local sign, bare_sign = each(lua, script, "sign", at.url), each(floor, "sign", at.url)
  local bare = each(floor, "call", at.url)
  if not whole then return end
  print "\n| instructions a call, thousand | ours | in C |"
  print "|---|---:|---:|"
  print(("| planning: parameters, limits, endpoint | %.0f | |"):format(plan / 1e3))
  print(("| signing | %.0f | %.0f |"):format(sign / 1e3, bare_sign / 1e3))
  print(("| libcurl, judging, result, bookkeeping | %.0f | %.0f |"):format(
    (whole - plan - sign) / 1e3, (bare - bare_sign) / 1e3))
end

local function in_flight(at)
  print "\n| in flight | µs CPU a call |"
  print "|---:|---:|"
  for _, width in ipairs { 1, 4, 16, 64, 256 } do
    local figures = {}
    for round = 1, count do
      figures[round] = first(rounds.run { lua, "spec/bench/ours.lua", "flight", at.url, "4000",
        tostring(width) })
    end
    print(("| %d | %.1f |"):format(width, rounds.median(figures)))
  end
  if not at.late then return end
  local run = rounds.run { lua, "spec/bench/ours.lua", "memory", at.late, "256" }
  print(("\nOf 256 calls in flight each holds %.1f KB in Lua and %.1f KB of the process."):format(
    run.figures[1] / 1024, run.figures[2] / 1024))
end

-- How many groups a sweep goes over; dr.groups makes a call for each.
local SWEEPS = {
  { "list", "`each`, 100 a page", { 1, 100, 10000 } },
  { "groups", "`dr.groups`, with pairs", { 1, 100, 2500 } },
}

-- The emulator answers, on the processor of the servers; only the client's time counts.
local function sweeps()
  print "\n| status sweep, no rate | groups | µs CPU a group | s, with the emulator | peak MB |"
  print "|---|---:|---:|---:|---:|"
  local pin = rounds.pin(rounds.processors - 1)
  for _, sweep in ipairs(SWEEPS) do
    for _, groups in ipairs(sweep[3]) do
      local cpu, wall, peak = {}, {}, {}
      for round = 1, count do
        local run = rounds.run { lua, "spec/bench/sweep.lua", sweep[1], tostring(groups),
          table.unpack(pin) }
        cpu[round], peak[round], wall[round] = table.unpack(run.figures)
      end
      print(("| %s | %d | %.1f | %.3f | %.1f |"):format(sweep[2], groups, rounds.median(cpu),
        rounds.median(wall), rounds.median(peak)))
    end
  end
end

if not rounds.has "nginx" then
  io.stderr:write "nginx is not installed (Debian: nginx-light); nothing else is fast enough\n"
  os.exit(1)
end

local at = server.start(rounds.pin(rounds.processors - 1))
print(("%d rounds, %s, %s%s\n"):format(count, os.date "!%Y-%m-%d", _VERSION,
  rounds.pinned and ", client and server on a processor each" or ""))
print "| | against | ours | theirs | | ratio | wanted |"
print "|---|---|---:|---:|---|---:|---|"
local ok, problem = pcall(function()
  for _, row in ipairs(rows(at)) do
    if not next(wanted) or wanted[row[1]] then row[2]() end
  end
  if not next(wanted) or wanted.stages then stages(at) end
  if not next(wanted) or wanted.scale then in_flight(at) end
  if not next(wanted) or wanted.sweep then sweeps() end
end)
at.stop()
assert(ok, problem)
