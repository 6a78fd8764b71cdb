--- One etcd as a process. Its output goes to a file, for a pipe that nobody reads would stop it.

local posix = require "spec.posix"
local scratch = require "spec.scratch"

local M = {}

---@class spec.EtcdMember
---@field name string
---@field port integer  for clients
---@field url string  for clients
---@field pid? integer  of a member that runs
---@field stopped? boolean  it stands still
local Member = {}
Member.__index = Member

-- Nothing of the environment is for it: it takes options from there, and the date of a spec. On
-- arm64 etcd 3.4 wants to be told that it may run.
local START = [[exec env -i PATH="$PATH" ETCD_UNSUPPORTED_ARCH=arm64 etcd "$@" >>"$0" 2>&1]]

local function joined(...)
  local all = {}
  for _, list in ipairs { ... } do table.move(list, 1, #list, #all + 1, all) end
  return all
end

local function words_of(member, settings)
  local peer = ("http://%s:%d"):format(settings.host, settings.peer_port)
  return joined(settings.enter or {}, { "sh", "-c", START, member.log_file,
    "--name=" .. member.name, "--data-dir=" .. member.data,
    "--listen-client-urls=" .. member.url, "--advertise-client-urls=" .. member.url,
    "--listen-peer-urls=" .. peer, "--initial-advertise-peer-urls=" .. peer,
    "--initial-cluster=" .. settings.peers, "--initial-cluster-token=" .. settings.token,
    "--logger=zap", "--log-level=warn", "--log-outputs=stderr" }, settings.flags)
end

--- A member that is not started.
---@param settings { name: string, port: integer, peer_port: integer, peers: string, token: string,
---scheme: string, flags: string[], host: string, enter?: string[], directory?: string }
---`enter`: words before its own; `directory`: for its data
---@return spec.EtcdMember
function M.new(settings)
  local directory = settings.directory or scratch.directory()
  local member = setmetatable({
    name = settings.name, port = settings.port, data = directory .. "/data",
    url = ("%s://%s:%d"):format(settings.scheme, settings.host, settings.port),
    log_file = scratch.path(".log"), settings = settings,
  }, Member)
  member.words = words_of(member, settings)
  return member
end

function Member:start()
  local output
  self.pid, output = posix.spawn(self.words)
  output:close()
end

--- Whether it has ended by itself.
---@return boolean
function Member:ended()
  if self.pid and posix.wait(self.pid, true) then self.pid = nil end
  return not self.pid
end

--- Ends it at once, if it runs.
function Member:kill()
  if not self:ended() then
    posix.kill(self.pid, "KILL")
    posix.wait(self.pid)
  end
  self.pid, self.stopped = nil, nil
end

---@param name "STOP"|"CONT"
---@param stopped boolean  how it is then
function Member:signal(name, stopped)
  assert(posix.kill(assert(self.pid, "the member does not run"), name))
  self.stopped = stopped
end

--- What it has said.
---@return string
function Member:log() return scratch.read(self.log_file) end

--- Replaces the data of a member that does not run by those of a snapshot.
---@param path string
function Member:restore(path)
  assert(os.execute(("rm -rf '%s'"):format(self.data)))
  local settings = self.settings
  local program = os.execute "command -v etcdutl >/dev/null" and "etcdutl" or "etcdctl"
  local peer = ("http://%s:%d"):format(settings.host, settings.peer_port)
  local line = ([[env -i PATH="$PATH" ETCDCTL_API=3 %s snapshot restore '%s' --name=%s \
    --data-dir='%s' --initial-cluster=%s --initial-cluster-token=%s \
    --initial-advertise-peer-urls=%s >>'%s' 2>&1]]):format(program, path, self.name, self.data,
    settings.peers, settings.token, peer, self.log_file)
  assert(os.execute(line), self:log())
end

return M
