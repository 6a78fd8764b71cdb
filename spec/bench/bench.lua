-- CPU time of a signed call over one kept-alive connection, next to a bare libcurl loop in C.
--   lua5.4 spec/bench/bench.lua BUILD [ROUNDS [CALLS]]
-- Client and server keep to a processor each where taskset allows it. All sides take turns within
-- a round; what counts is the median of the ratios of the rounds, for single figures drift.

local posix = require "spec.posix"
local socket = require "socket"

local build = arg[1] or "build"
local rounds = math.tointeger(tonumber(arg[2] or "9"))
local calls = math.tointeger(tonumber(arg[3] or "2000"))

local function output_of(command)
  local pipe = assert(io.popen(command))
  local text = pipe:read("a")
  pipe:close()
  return (text:gsub("%s+$", ""))
end

local function has(program)
  return output_of("command -v " .. program .. " 2>/dev/null") ~= ""
end

local processors = math.tointeger(tonumber(output_of("getconf _NPROCESSORS_ONLN"))) or 1
local pinned = processors > 1 and has "taskset"

-- The words that keep a command to one processor.
local function pin(processor)
  if not pinned then return {} end
  return { "taskset", "-c", tostring(processor) }
end

local function free_port()
  local listener = assert(socket.bind("127.0.0.1", 0))
  local _, port = listener:getsockname()
  listener:close()
  return port
end

local nginx_conf = [[
daemon off;
master_process off;
worker_processes 1;
error_log stderr crit;
pid DIR/nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path DIR/body;
  proxy_temp_path DIR/proxy;
  fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi;
  scgi_temp_path DIR/scgi;
  keepalive_requests 100000000;
  server {
    listen 127.0.0.1:PORT;
    location / {
      default_type application/json;
      return 200 '{"RequestId":"5F1D0C9A-6A4C-4F2B-9F30-2A5E6C7B8D90"}';
    }
  }
}
]]

local function answers(port)
  for _ = 1, 200 do
    local client = socket.connect("127.0.0.1", port)
    if client then return client:close() end
    socket.sleep(0.05)
  end
  error "the server did not start"
end

local function spawn(words, processor)
  local argv = pin(processor)
  table.move(words, 1, #words, #argv + 1, argv)
  return posix.spawn(argv)
end

-- nginx where there is one, for it is faster than every client; else the emulator.
local function start_server()
  local last = processors - 1
  if has "nginx" then
    local dir = os.tmpname()
    os.remove(dir)
    assert(os.execute(("mkdir -m 700 '%s'"):format(dir)))
    local port = free_port()
    local file = assert(io.open(dir .. "/nginx.conf", "w"))
    file:write((nginx_conf:gsub("DIR", dir):gsub("PORT", port)))
    file:close()
    local pid = spawn({ "nginx", "-p", dir, "-c", dir .. "/nginx.conf" }, last)
    answers(port)
    return { name = "nginx", pid = pid, url = "http://127.0.0.1:" .. port, dir = dir }
  end
  io.stderr:write "nginx is not installed (Debian: nginx-light); the emulator answers\n"
  local pid, output = spawn({ build .. "/bin/alicloud-dr", "emulator", "--port", "0" }, last)
  for line in output:lines() do
    local url = line:match("http://127%.0%.0%.1:%d+")
    if url then return { name = "the emulator", pid = pid, url = url, output = output } end
  end
  error "the emulator did not start"
end

local function stop_server(server)
  posix.kill(server.pid, "TERM")
  posix.wait(server.pid)
  if server.dir then os.execute(("rm -r '%s'"):format(server.dir)) end
end

local function median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

local function measure(words, url)
  local argv = pin(0)
  table.move(words, 1, #words, #argv + 1, argv)
  for _, word in ipairs { url, tostring(calls), "emulator", "emulator-secret" } do
    argv[#argv + 1] = word
  end
  local pid, output = posix.spawn(argv)
  local text = output:read("a")
  posix.wait(pid)
  output:close()
  return tonumber(text) or error(text)
end

local sides = {
  { name = "libcurl loop in C, signed", words = { build .. "/spec/floor" } },
  { name = "core and transport", words = { "lua5.4", "spec/bench/ours.lua", "core" } },
  { name = "client:call", words = { "lua5.4", "spec/bench/ours.lua", "client" } },
}

local function run(server)
  for _, side in ipairs(sides) do side.cpu, side.ratio = {}, {} end
  for round = 1, rounds do
    local figures = {}
    for turn = 0, #sides - 1 do
      local index = (round + turn) % #sides + 1
      figures[index] = measure(sides[index].words, server.url)
    end
    for index, side in ipairs(sides) do
      side.cpu[round], side.ratio[round] = figures[index], figures[index] / figures[1]
    end
  end
end

local server = start_server()
local ok, problem = pcall(run, server)
stop_server(server)
assert(ok, problem)
print(("%d rounds of %d sequential calls, answered by %s%s"):format(rounds, calls, server.name,
  pinned and ", client and server on a processor each" or ""))
print(("%-28s %12s %8s"):format("", "CPU us/call", "ratio"))
for _, side in ipairs(sides) do
  print(("%-28s %12.1f %8.2f"):format(side.name, median(side.cpu), median(side.ratio)))
end
