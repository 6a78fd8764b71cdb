--- The servers of the benchmark: one nginx on a processor of its own, which is faster than every
--- client. It answers in plain, over TLS, with a large page, like another cloud below /kin, and
--- after 5 ms where Debian's libnginx-mod-http-echo is installed.

local posix = require "spec.posix"
local scratch = require "spec.scratch"
local servers = require "spec.server"
local socket = require "socket"
local tls = require "spec.server.tls"

local M = {}

local ECHO = "/usr/lib/nginx/modules/ngx_http_echo_module.so"
local ROOTS = "/etc/ssl/certs"

local CONF = [[
LOAD
daemon off;
master_process off;
worker_processes 1;
error_log stderr crit;
pid DIR/nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path DIR/body;
  proxy_temp_path DIR/proxy;
  fastcgi_temp_path DIR/fastcgi;
  uwsgi_temp_path DIR/uwsgi;
  scgi_temp_path DIR/scgi;
  keepalive_requests 100000000;
  map $http_x_acs_action $answer {
    default '{"RequestId":"5F1D0C9A-6A4C-4F2B-9F30-2A5E6C7B8D90"}';
    DescribeDiskReplicaGroups 'GROUP';
  }
  server {
    listen 127.0.0.1:PLAIN;
    listen 127.0.0.1:TLS ssl;
    ssl_certificate CERT;
    ssl_certificate_key KEY;
    location / { default_type application/json; return 200 $answer; }
    location /kin { default_type text/xml; return 200 'KIN'; }
  }
  server {
    listen 127.0.0.1:PAGE;
    root DIR;
    error_page 405 =200 /page.json;
    location = / { return 405; }
    location = /page.json { default_type application/json; internal; }
  }
  SLOW
}
]]

local GROUP = '{"RequestId":"5F1D0C9A-6A4C-4F2B-9F30-2A5E6C7B8D90","ReplicaGroups":'
  .. '[{"ReplicaGroupId":"pg-0123456789abcdef","Status":"failovered"}]}'

local KIN = "<DescribeVolumesResponse><requestId>5F1D0C9A-6A4C-4F2B-9F30-2A5E6C7B8D90</requestId>"
  .. "<volumeSet/></DescribeVolumesResponse>"

local SLOW = [[server {
    listen 127.0.0.1:LATE;
    location / { default_type application/json; echo_sleep 0.005; echo $answer; }
  }]]

local function readable(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function await(port)
  for _ = 1, 1200 do
    local client = socket.connect("127.0.0.1", port)
    if client then return client:close() end
    socket.sleep(0.05)
  end
  error "nginx did not start"
end

--- A page of 100 groups as the service describes them.
---@return string
function M.page()
  local groups = {}
  for i = 1, 100 do
    groups[i] = ('{"ReplicaGroupId":"pg-replica%06d","GroupName":"orders database %d",'
      .. '"Description":"replication of the order database","Status":"normal","Site":"production",'
      .. '"SourceRegionId":"cn-hangzhou","SourceZoneId":"cn-hangzhou-g","RPO":900,'
      .. '"DestinationRegionId":"cn-shanghai","DestinationZoneId":"cn-shanghai-b",'
      .. '"LastRecoverPoint":1763800%03d,"PairNumber":3,"PrimaryRegion":"cn-hangzhou",'
      .. '"PairIds":["pair-cn-aaa%05d1","pair-cn-aaa%05d2","pair-cn-aaa%05d3"],'
      .. '"PrimaryZone":"cn-hangzhou-g","StandbyRegion":"cn-shanghai",'
      .. '"StandbyZone":"cn-shanghai-b","ResourceGroupId":"rg-acfmvqtyabcdefg","EnableRtc":false,'
      .. '"Tags":[{"TagKey":"team","TagValue":"orders"},{"TagKey":"env","TagValue":"production"}],'
      .. '"Bandwidth":10240}'):format(i, i, i, i, i, i)
  end
  return '{"TotalCount":100,"PageSize":100,"PageNumber":1,"RequestId":'
    .. '"5F1D0C9A-6A4C-4F2B-9F30-2A5E6C7B8D90","ReplicaGroups":[' .. table.concat(groups, ",")
    .. "]}"
end

-- The system's roots and ours, once as a hashed directory and once as a bundle, so that trust costs
-- what it costs on a real system.
local function make_trust(dir, authority)
  local path, bundle = dir .. "/roots", dir .. "/roots.crt"
  assert(os.execute(("mkdir '%s' && cp -P %s/*.0 %s/*.pem '%s' 2>/dev/null; cp -r '%s'/. '%s'")
    :format(path, ROOTS, ROOTS, path, authority.path, path)))
  assert(os.execute(("cat %s/ca-certificates.crt '%s' >'%s'")
    :format(ROOTS, authority.file, bundle)))
  return path, bundle
end

--- Starts it.
---@param pin string[] words before the command that keep it to a processor
---@return table server url, tls, page, late (nil without the module), ca_path, ca_file; stop()
function M.start(pin)
  local dir = scratch.directory()
  local authority = tls.authority(dir, "bench")
  local certificate = authority:issue("server", { san = "IP:127.0.0.1" })
  local ports = {}
  ports.PLAIN, ports.TLS, ports.PAGE, ports.LATE = servers.free_ports(4)
  local slow = readable(ECHO)
  local conf = CONF:gsub("LOAD", slow and ("load_module %s;"):format(ECHO) or "")
    :gsub("SLOW", slow and SLOW or ""):gsub("DIR", dir)
    :gsub("GROUP", GROUP):gsub("KIN", KIN):gsub("CERT", certificate):gsub("KEY", certificate)
    :gsub("%u+", ports)
  scratch.write(dir .. "/nginx.conf", conf)
  scratch.write(dir .. "/page.json", M.page())
  local argv = table.move({ "nginx", "-p", dir, "-c", dir .. "/nginx.conf" }, 1, 5, #pin + 1,
    table.move(pin, 1, #pin, 1, {}))
  local pid, output = posix.spawn(argv)
  await(ports.PLAIN)
  local ca_path, ca_file = make_trust(dir, authority)
  local function url(scheme, port) return ("%s://127.0.0.1:%d"):format(scheme, port) end
  return {
    dir = dir, ca_path = ca_path, ca_file = ca_file,
    url = url("http", ports.PLAIN), tls = url("https", ports.TLS), page = url("http", ports.PAGE),
    late = slow and url("http", ports.LATE) or nil,
    stop = function()
      posix.kill(pid, "TERM")
      posix.wait(pid)
      output:close()
    end,
  }
end

return M
