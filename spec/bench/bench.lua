-- Our side next to its floor and its peers, in one run: lua5.4 spec/bench/bench.lua BUILD [ROUNDS]
-- [ROW...]. Prints a Markdown table of medians with what is wanted of them, and fails if one misses
-- it. Client and server keep to a processor each where taskset allows it; what a row needs and is
-- not installed is skipped and named.

local fields = require "spec.bench.fields"
local rounds = require "spec.bench.rounds"
local server = require "spec.bench.server"

local build = arg[1] or "build"
local count = math.tointeger(tonumber(arg[2] or "7"))
local wanted = {}
for i = 3, #arg do wanted[arg[i]] = true end

local floor, lua, python = build .. "/spec/floor", "lua5.4", "/usr/bin/python3"
local script = "spec/bench/ours.lua"

local function first(run) return run.figures[1] end
local function second(run) return run.figures[2] end
local function cpu_ms(run) return run.cpu * 1e3 end
local function peak_mb(run) return run.peak / 1024 / 1024 end

local function side(of, ...) return { words = { ... }, of = of } end
local function ours(of, ...) return side(of, lua, script, ...) end
local function in_c(of, ...) return side(of, floor, ...) end

-- The same with other variables of the environment.
local function with(settings, which)
  local words = table.move(settings, 1, #settings, 2, { "env" })
  return { words = table.move(which.words, 1, #which.words, #words + 1, words), of = which.of }
end

-- Proxies of the environment would come between; NODE_PATH names what `make interop` fetches.
local function node(...)
  local words = { "NODE_PATH=" .. build .. "/interop/node_modules" }
  for _, name in ipairs { "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY" } do
    words[#words + 1] = name .. "="
  end
  return with(words, side(first, "node", "spec/bench/vendor.js", ...))
end

local missed = 0

local function put(name, against, unit, limit, left, right, ratio)
  local good = not limit or ratio <= limit
  if not good then missed = missed + 1 end
  print(("| %s | %s | %.4g | %.4g | %s | **%.2f** | %s%s |"):format(name, against, left, right,
    unit, ratio, limit and ("≤ %.2f"):format(limit) or "", good and "" or ", missed"))
  io.flush()
end

local function compare(name, against, unit, limit, left, right)
  put(name, against, unit, limit, rounds.compare(count, left, right))
end

local function runs(which)
  local words = {}
  for i, word in ipairs(which.words) do words[i] = ("'%s'"):format(word) end
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
  if not rounds.has "node" then return skip("the vendor's Node SDKs", "node") end
  if not runs(node()) then
    return skip("the vendor's Node SDKs", "what `make interop` fetches")
  end
  for _, peer in ipairs(VENDOR) do
    compare("one call at a time, HTTP", ("the vendor's `%s` for Node"):format(peer[1]), "µs CPU",
      1 / 3, ours(first, "call", at.url, "3000"), node(peer[2], at.url, "3000"))
  end
end

-- Two peers of Debian's: a Go client for the same service, and how Python asks another cloud.
local function go(at)
  local client, peer = build .. "/spec/aliyungo", "`aliyungo`, HMAC-SHA1, in Go"
  if not rounds.has(client) then
    return skip(peer, "Go or golang-github-denverdino-aliyungo-dev")
  end
  local trust = { "BENCH_CA_FILE=" .. at.ca_file, "SSL_CERT_FILE=" .. at.ca_file }
  for _, scheme in ipairs { "HTTP", "HTTPS" } do
    local url = scheme == "HTTP" and at.url or at.tls
    compare("one call at a time, " .. scheme, peer, "µs CPU", nil,
      with(trust, ours(first, "call", url, "3000")),
      with(trust, side(first, client, url, "3000")))
    for _, idle in ipairs { "2", "64" } do
      compare("64 in flight, " .. scheme, ("%s, %s idle connections"):format(peer, idle), "µs CPU",
        nil, with(trust, ours(first, "flight", url, "3000", "64")),
        with(trust, side(first, client, url, "3000", "64", idle)))
    end
  end
end

local function kin(at)
  if not runs(side(first, python, "-c", "import botocore")) then
    return skip("botocore", "python3-botocore")
  end
  compare("one call at a time, HTTP", "`botocore`, EC2, in Python", "µs CPU", nil,
    ours(first, "call", at.url, "3000"),
    side(first, python, "spec/bench/kin.py", at.url .. "/kin", "3000"))
end

local function rows(at)
  local hashed = { "BENCH_CA_PATH=" .. at.ca_path, "FLOOR_CA_PATH=" .. at.ca_path }
  local bundle = { "BENCH_CA_FILE=" .. at.ca_file }
  local usual = { "FLOOR_CA_FILE=" .. at.ca_file, "FLOOR_CA_PATH=" .. at.ca_path }
  local curl = { "curl", "-s", "-o", "/dev/null", "-X", "POST", "--cacert", at.ca_file,
    "--capath", at.ca_path, at.tls .. "/" }
  return {
    { "instructions", function()
      local left = rounds.per_call { lua, script, "call", at.url }
      if not left then return skip("instructions", "valgrind") end
      local right = rounds.per_call { floor, "call", at.url }
      put("instructions of a call", CALL, "thousand", 1.30, left / 1e3, right / 1e3, left / right)
    end },
    { "https", function()
      compare("one call at a time, HTTPS", CALL, "µs CPU", 1.20,
        with(hashed, ours(first, "call", at.tls, "2000")),
        with(hashed, in_c(first, "call", at.tls, "2000")))
    end },
    { "http", function()
      compare("one call at a time, HTTP", CALL, "µs CPU", nil,
        ours(first, "call", at.url, "3000"), in_c(first, "call", at.url, "3000"))
    end },
    { "flight", function()
      compare("64 in flight, HTTP", MULTI, "µs CPU", 1.60,
        ours(first, "flight", at.url, "8000", "64"), in_c(first, "flight", at.url, "8000", "64"))
      compare("64 in flight, HTTPS", MULTI, "µs CPU", 1.60,
        with(hashed, ours(first, "flight", at.tls, "6000", "64")),
        with(hashed, in_c(first, "flight", at.tls, "6000", "64")))
    end },
    { "sign", function()
      compare("Lua table to Authorization", "whole ACS3 in C", "µs CPU", 1.70,
        ours(first, "sign", "-", "100000"), in_c(first, "sign", "-", "100000"))
    end },
    { "decode", function()
      if not pcall(require, "cjson") then return skip("decode", "lua-cjson") end
      compare("page of 100 groups to Lua tables", "lua-cjson", "µs CPU", 1.00,
        ours(first, "decode", "-", "300"), ours(first, "lua-cjson", "-", "300"))
    end },
    { "page", function()
      compare("a whole describe call of that page", CALL, "µs CPU", nil,
        ours(first, "page", at.page, "300"), in_c(first, "page", at.page, "300"))
    end },
    { "vendor", function() vendors(at) end },
    { "go", function() go(at) end },
    { "kin", function() kin(at) end },
    { "storm", function()
      compare("1,000 × (failover + 3 looks), 64 in flight", MULTI, "µs CPU", nil,
        ours(first, "storm", at.url, "1000", "64"), in_c(first, "storm", at.url, "1000", "64"))
      if not at.late then return skip("storm with latency", "libnginx-mod-http-echo") end
      -- Nobody can be faster than 1000 * 4 * 5 ms / 64.
      compare("the same, 5 ms latency (bound: 0.31 s)", MULTI, "s wall", nil,
        ours(second, "storm", at.late, "1000", "64"),
        in_c(second, "storm", at.late, "1000", "64"))
    end },
    { "cold", function()
      if not rounds.has "curl" then return skip("cold", "curl") end
      compare("cold start to the first HTTPS answer, hashed directory", "`curl`", "ms CPU", nil,
        with(hashed, ours(cpu_ms, "once", at.tls, "1")), side(cpu_ms, table.unpack(curl)))
      compare("the same, bundle file alone", "`curl`", "ms CPU", nil,
        with(bundle, ours(cpu_ms, "once", at.tls, "1")), side(cpu_ms, table.unpack(curl)))
      compare("peak memory of that process", "`curl`", "MB", nil,
        with(hashed, ours(peak_mb, "once", at.tls, "1")), side(peak_mb, table.unpack(curl)))
    end },
    { "fan", function()
      compare("cold 64-way HTTPS fan-out", "libcurl's default trust", "ms CPU", nil,
        with(hashed, ours(cpu_ms, "fan", at.tls, "1", "64")),
        with(usual, in_c(cpu_ms, "fan", at.tls, "1", "64")))
    end },
    { "require", function()
      compare('`require "alicloud"`, the whole process', "bare `lua5.4`", "ms CPU", nil,
        ours(cpu_ms, "require"), side(cpu_ms, lua, "-e", ""))
    end },
  }
end

-- Where the instructions of a call go; what is left is libcurl and the answer.
local function stages(at)
  local function each(...) return rounds.per_call { ... } end
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
      figures[round] = first(rounds.run { lua, script, "flight", at.url, "4000",
        tostring(width) })
    end
    print(("| %d | %.1f |"):format(width, rounds.median(figures)))
  end
  if not at.late then return end
  local run = rounds.run { lua, script, "memory", at.late, "256" }
  print(("\nOf 256 calls in flight each holds %.1f KB in Lua and %.1f KB of the process."):format(
    run.figures[1] / 1024, run.figures[2] / 1024))
end

-- How many groups of 3 pairs a sweep goes over.
local SWEEPS = {
  { "list", "`each`, 100 a page", { 1, 100, 10000 } },
  { "alone", "each group by a look of its own", { 1, 100, 1000 } },
  { "groups", "`dr.groups`, with pairs", { 1, 100, 1000, 10000 } },
  { "precheck", "`dr.precheck`", { 1, 100, 1000 } },
  { "readiness", "`dr.readiness`", { 1, 100, 1000 } },
}

-- The emulator answers, on the processor of the servers; only the client's time counts.
local function sweeps()
  print("\n| status sweep, no rate | groups | calls a group | µs CPU a group "
    .. "| s, with the emulator | peak MB |")
  print "|---|---:|---:|---:|---:|---:|"
  local pin = rounds.pin(rounds.processors - 1)
  for _, sweep in ipairs(SWEEPS) do
    for _, groups in ipairs(sweep[3]) do
      local cpu, wall, peak, calls = {}, {}, {}, nil
      for round = 1, count do
        local run = rounds.run { lua, "spec/bench/sweep.lua", sweep[1], tostring(groups),
          table.unpack(pin) }
        cpu[round], peak[round], wall[round], calls = table.unpack(run.figures)
      end
      print(("| %s | %d | %.3f | %.1f | %.3f | %.1f |"):format(sweep[2], groups, calls,
        rounds.median(cpu), rounds.median(wall), rounds.median(peak)))
    end
  end
end

-- The comparison is fair only while both send the same.
local function header_fields()
  local left, right = fields.sent { lua, script, "once" }, fields.sent { floor, "once" }
  assert(left == right, ("ours sends %s; in C: %s"):format(left, right))
  print(("Ours and the C programs send the same header fields: %s.\n"):format(left))
end

if not rounds.has "nginx" then
  io.stderr:write "nginx is not installed; nothing else is fast enough\n"
  os.exit(1)
end

local function wants(row) return not next(wanted) or wanted[row] end

os.execute "alicloud-dr --version"
header_fields()
local at = server.start(rounds.pin(rounds.processors - 1))
print(("%d rounds, %s%s\n"):format(count, os.date "!%Y-%m-%d",
  rounds.pinned and ", client and server on a processor each" or ""))
print "| | against | ours | theirs | | ratio | wanted |"
print "|---|---|---:|---:|---|---:|---|"
local ok, problem = pcall(function()
  for _, row in ipairs(rows(at)) do
    if wants(row[1]) then row[2]() end
  end
  if wants "stages" then stages(at) end
  if wants "scale" then in_flight(at) end
  if wants "sweep" then sweeps() end
end)
at.stop()
assert(ok, problem)
rounds.end_well(missed)
