--- A network for the members of a cluster, each on a host of its own: a namespace, which is cut off
--- by routes into nothing. The program itself must run in a namespace of its own, as .ci/nemesis
--- does it, so that nothing of the machine is touched.

local core = require "alicloud.core"
local posix = require "spec.posix"

local M = {}

local NET = "10.89.0."

---@class spec.Network
---@field hosts { host: string, enter: string[], pid: integer }[]
local Network = {}
Network.__index = Network

local function link_of(pid)
  local pipe <close> = assert(io.popen(("readlink /proc/%s/ns/net 2>/dev/null"):format(pid)))
  return pipe:read "l"
end

--- Why there can be none here.
---@return string|nil
function M.missing()
  for _, program in ipairs { "ip", "unshare", "nsenter" } do
    if not os.execute(("command -v %s >/dev/null"):format(program)) then
      return "needs " .. program
    end
  end
  local own, first = link_of "self", link_of(1)
  if not own or own == first then return "needs root, and a network of its own" end
end

local function sh(line, ...)
  line = line:format(...)
  local pipe = assert(io.popen("{ " .. line .. "; } 2>&1"))
  local text = pipe:read "a"
  assert(pipe:close(), line .. "\n" .. text)
end

function Network:inside(i, line, ...)
  sh("nsenter -t %d -n %s", self.hosts[i].pid, line:format(...))
end

-- A process that does nothing holds a namespace open.
local function add_host(network, i)
  local pid, output = posix.spawn { "unshare", "-n", "sleep", "infinity" }
  output:close()
  local host = { host = NET .. i, pid = pid, enter = { "nsenter", "-t", tostring(pid), "-n" } }
  network.hosts[i] = host
  local own, limit = link_of "self", core.monotonic() + 30
  repeat
    core.poll(nil, "r", 0.01)
    assert(core.monotonic() < limit, "the host has no network of its own")
  until (link_of(pid) or own) ~= own
  sh("ip link add port%d type veth peer name eth0 netns %d", i, pid)
  sh("ip link set port%d master switch up", i)
  network:inside(i, "ip link set lo up")
  network:inside(i, "ip address add %s%d/24 dev eth0", NET, i)
  network:inside(i, "ip link set eth0 up")
end

--- Makes a network of some hosts, which the program reaches.
---@param count integer
---@return spec.Network
function M.start(count)
  local network = setmetatable({ hosts = {} }, Network)
  sh "ip link add switch type bridge && ip link set switch up"
  sh("ip address add %s254/24 dev switch", NET)
  for i = 1, count do add_host(network, i) end
  return network
end

-- Everybody whom a cut may keep a host from.
local function others(network, i, from)
  local list = {}
  for j = 1, #network.hosts do
    if j ~= i then list[#list + 1] = NET .. j end
  end
  if from == "all" then list[#list + 1] = NET .. 254 end
  return list
end

--- Cuts a host off.
---@param i integer
---@param from "peers"|"all" "peers": those who ask it still reach it
function Network:cut(i, from)
  for _, host in ipairs(others(self, i, from)) do
    self:inside(i, "ip route replace blackhole %s/32", host)
  end
end

--- Lets a host reach everybody again.
---@param i integer
function Network:heal(i)
  self:inside(i, "sh -c 'ip route show type blackhole | sed s/^blackhole// | while read -r host; "
    .. "do ip route delete blackhole \"$host\"; done'")
end

function Network:close()
  for _, host in ipairs(self.hosts) do
    posix.kill(host.pid, "KILL")
    posix.wait(host.pid)
  end
  self.hosts = {}
  os.execute "ip link delete switch 2>/dev/null"
end

Network.__close = Network.close

return M
