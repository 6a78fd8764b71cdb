-- Debian's nginx as one TLS front for several hosts.

local daemon = require "spec.server.daemon"
local reply = require "spec.server.reply"

local M = {}

local HEAD = [[
daemon off;
master_process off;
error_log stderr notice;
pid %s/nginx.pid;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path %s/t1; proxy_temp_path %s/t2; fastcgi_temp_path %s/t3;
  uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;
]]

local HOST = [[
  server {
    listen 127.0.0.1:%d ssl%s;
    server_name %s;
    ssl_certificate %s;
    ssl_certificate_key %s;
    %s
    location / { default_type application/json; return 200 '%s'; }
  }
]]

---A front on a free port of 127.0.0.1.
---@param dir string  for its files
---@param hosts { name: string, certificate: string, extra: string|nil }[]  PEM files with key and
---certificate, and further lines; the first host is for whoever names none
---@return spec.Daemon
function M.start(dir, hosts)
  return daemon.start(dir, {
    name = "nginx",
    ready = "getrlimit",
    config = function(port)
      local parts = { (HEAD:gsub("%%s", dir)) }
      for index, host in ipairs(hosts) do
        parts[#parts + 1] = HOST:format(port, index == 1 and " default_server" or "", host.name,
          host.certificate, host.certificate, host.extra or "", reply.body)
      end
      return table.concat(parts) .. "}\n"
    end,
    -- The log is named on the command line too, or the first lines would go to the system's.
    command = function(path) return { "nginx", "-p", dir, "-e", "stderr", "-c", path } end,
  })
end

return M
