-- Throw-away certificates and TLS servers, made with the openssl command when a spec runs.

local core = require "alicloud.core"
local daemon = require "spec.server.daemon"
local posix = require "spec.posix"
local reply = require "spec.server.reply"
local scratch = require "spec.scratch"

local M = {}

local function openssl(...)
  local argv = { "openssl", ... }
  local pid, output = posix.spawn(argv)
  local text = output:read("a")
  output:close()
  local how, code = posix.wait(pid)
  if how ~= "exit" or code ~= 0 then
    error(table.concat(argv, " ") .. "\n" .. text, 2)
  end
  return text
end

---@class spec.Authority
---@field file string  PEM file of the root
---@field path string  hashed directory that holds only this root
---@field dir string
local Authority = {}
Authority.__index = Authority

---A certificate authority in a directory of its own below `dir`.
---@param dir string
---@param name string
---@return spec.Authority
function M.authority(dir, name)
  local home = dir .. "/" .. name
  assert(os.execute(("mkdir -p '%s/hashed'"):format(home)))
  local self = setmetatable({
    dir = home, file = home .. "/ca.pem", key = home .. "/ca.key", path = home .. "/hashed",
  }, Authority)
  openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
    "-keyout", self.key, "-out", self.file, "-days", "2", "-subj", "/CN=" .. name)
  local hash = openssl("x509", "-hash", "-noout", "-in", self.file):match("%x+")
  assert(os.execute(("cp '%s' '%s/%s.0'"):format(self.file, self.path, hash)))
  return self
end

-- A moment as openssl reads it.
local function date(days_from_now)
  return (core.iso8601(core.time() + days_from_now * 86400):gsub("[-T:]", ""))
end

---A key and a certificate that this authority signed, in one PEM file.
---@param name string  of the file
---@param options { san?: string, from?: number, to?: number, usage?: string, subject?: string }
---days from now: -2 and 2; the extended key usage: none named; as openssl writes it: "/CN=name"
---@return string path
function Authority:issue(name, options)
  local base = self.dir .. "/" .. name
  openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", base .. ".key", "-out",
    base .. ".csr", "-subj", options.subject or "/CN=" .. name)
  scratch.write(base .. ".ext", (options.san and "subjectAltName=" .. options.san .. "\n" or "")
    .. (options.usage and "extendedKeyUsage=" .. options.usage .. "\n" or ""))
  -- `openssl ca` alone takes dates of the past.
  scratch.write(base .. ".index", "")
  scratch.write(base .. ".serial", "01\n")
  scratch.write(base .. ".cnf", ([[
[ca]
default_ca = spec
[spec]
database = %s.index
serial = %s.serial
new_certs_dir = %s
default_md = sha256
policy = any
unique_subject = no
[any]
commonName = optional
organizationName = optional
]]):format(base, base, self.dir))
  openssl("ca", "-batch", "-notext", "-config", base .. ".cnf", "-cert", self.file, "-keyfile",
    self.key, "-in", base .. ".csr", "-out", base .. ".crt", "-extfile", base .. ".ext",
    "-startdate", date(options.from or -2), "-enddate", date(options.to or 2))
  assert(os.execute(("cat '%s.key' '%s.crt' >'%s.pem'"):format(base, base, base)))
  return base .. ".pem"
end

---@class spec.TlsServer: spec.Daemon
---@field url string

---`openssl s_server` on a free port of 127.0.0.1 that answers GET /ok.
---@param dir string  where it finds its answer
---@param certificate string  PEM file with key and certificate
---@param ... string  further options of s_server
---@return spec.TlsServer
function M.serve(dir, certificate, ...)
  scratch.write(dir .. "/ok", reply.http(nil, { headers = "Connection: close\r\n" }))
  -- -HTTP reads files relative to its working directory.
  local server, why = daemon.spawn({ "sh", "-c",
    'cd "$1" && shift && exec openssl s_server "$@"', "sh", dir,
    "-accept", "127.0.0.1:0", "-cert", certificate, "-key", certificate, "-HTTP", ... },
    function(line)
      local port = line:match "^ACCEPT 127%.0%.0%.1:(%d+)"
      return port and math.tointeger(tonumber(port))
    end)
  if not server then error("openssl s_server: " .. why, 2) end
  server.url = "https://127.0.0.1:" .. server.port
  return server
end

---@class spec.TlsSpeaker
---@field url string
local Speaker = {}
Speaker.__index = Speaker

---Says these bytes on the connection that stands, in a record of their own unless they come too
---soon after others.
---@param bytes string
function Speaker:say(bytes)
  self.input:write(bytes)
  self.input:flush()
end

---How many requests have come, over all connections.
---@return integer
function Speaker:asked()
  local _, count = scratch.read(self.heard):gsub("POST / HTTP", "")
  return count
end

function Speaker:close()
  posix.kill(self.pid, "KILL")
  self.input:close()
end

Speaker.__close = Speaker.close

---`openssl s_server` on a free port of 127.0.0.1 that says what it is told to, on one connection
---after the other.
---@param certificate string  PEM file with key and certificate
---@param ... string  further options of s_server
---@return spec.TlsSpeaker
function M.speak(certificate, ...)
  local heard = scratch.path()
  scratch.write(heard, "")
  local words = { "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate, "-key",
    certificate, ... }
  for i, word in ipairs(words) do words[i] = "'" .. word .. "'" end
  local input = assert(io.popen(("exec >%s 2>&1; echo $$; exec %s"):format(heard,
    table.concat(words, " ")), "w"))
  local stop = core.monotonic() + 30
  while core.monotonic() < stop do
    local pid, port = scratch.read(heard):match "^(%d+)\n.*ACCEPT 127%.0%.0%.1:(%d+)"
    if port then
      return setmetatable({ pid = math.tointeger(tonumber(pid)), input = input, heard = heard,
        url = "https://127.0.0.1:" .. port }, Speaker)
    end
    core.poll(nil, "r", 0.01)
  end
  error("openssl s_server: " .. scratch.read(heard), 2)
end

return M
