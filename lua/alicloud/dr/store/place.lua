--- Addresses of runs and stores: a journal is named by a path, or in a shared store by
---
---     etcd+https://h1:2379,h2:2379/prefix#run
---
--- The environment says how the store is reached. An address holds no secret, since journals,
--- printed commands and process lists show it to everybody.

local core = require "alicloud.core"
local endpoint = require "alicloud.net.endpoint"
local errors = require "alicloud.base.error"
local proxies = require "alicloud.net.proxy"
local runtimes = require "alicloud.base.runtime"
local schema = require "alicloud.base.schema"
local trusted_files = require "alicloud.base.trusted_file"
local user_directory = require "alicloud.base.user_directory"

local M = {}

--- The variable with the default place of runs: an address without a run.
M.VARIABLE = "ALICLOUD_DR_STORE"

--- The form of an address, for messages.
M.FORM = "etcd+https://HOST:2379,HOST:2379/PREFIX#RUN"

local SCHEMES = { ["etcd+https"] = "https", ["etcd+http"] = "http" }
local PORT = 2379
local PREFIX = "/alicloud-dr"
local MOST_HOSTS, LONGEST_PREFIX = 16, 200

local USER, PASSWORD = M.VARIABLE .. "_USER", M.VARIABLE .. "_PASSWORD"
local PASSWORD_FILE, CA_FILE = PASSWORD .. "_FILE", M.VARIABLE .. "_CA_FILE"
local CERT_FILE, KEY_FILE = M.VARIABLE .. "_CERT_FILE", M.VARIABLE .. "_KEY_FILE"
local PROXY = M.VARIABLE .. "_PROXY"

--- The variables that say how a shared store is reached.
M.ACCESS = { USER, PASSWORD, PASSWORD_FILE, CA_FILE, CERT_FILE, KEY_FILE, PROXY }

--- The rule for the name of a run in a shared store: it is part of keys, and people type it.
M.RUN = schema.rule("1 to 128 of A-Z, a-z, 0-9, '.', '_' and '-', the first one no '.'",
  function(value)
    return type(value) == "string" and #value <= 128 and value:find "^[%w_-][%w._-]*$" ~= nil
  end)

---@class alicloud.dr.Address
---@field scheme "http"|"https"
---@field hosts string[] host:port of the members, in the order given
---@field prefix string begins every key, e.g. "/alicloud-dr"
---@field run string? nil: the address is of the store
---@field store string the address without the run
---@field text string the address in its normal form; parsing it gives the same

--- Whether a text looks like an address of a shared store, valid or not; any other text is a path.
---@param text any
---@return boolean
function M.is_address(text)
  return type(text) == "string" and text:find "^%a[%w+.-]*://" ~= nil
end

-- The text without what may be a password: user information, or a query.
local function shown(text)
  local scheme = text:match "^%a[%w+.-]*://" or ""
  local rest = text:sub(#scheme + 1)
  return schema.show(scheme .. rest:gsub("^.*@", "***@"):gsub("%?[^#]*", "?***"))
end

local MEANT = { https = "etcd+https", http = "etcd+http", etcd = "etcd+https" }

local function scheme_fault(scheme)
  local meant = MEANT[scheme] and ('; did you mean "%s"?'):format(MEANT[scheme])
    or schema.did_you_mean(scheme, SCHEMES)
  return ("the scheme is %s, not etcd+https or etcd+http%s"):format(schema.show(scheme), meant)
end

-- The journal, printed commands and the process list would show a password.
local SECRET = ("it has user information, which an address must not have: set %s and %s, or %s")
  :format(USER, PASSWORD_FILE, PASSWORD)
local QUERY = "it has a query, and takes none: how the store is reached is said by " .. M.VARIABLE
  .. "_CA_FILE and its like"

local function read_hosts(authority)
  local hosts, seen = {}, {}
  for written in (authority .. ","):gmatch "([^,]*)," do
    local fault = endpoint.authority_fault(written)
    if fault then return nil, ("host %s: %s"):format(schema.show(written), fault) end
    local name = endpoint.without_port(written)
    local host = (#name == #written and written .. ":" .. PORT or written):lower()
    if seen[host] then return nil, ("host %s is there twice"):format(schema.show(host)) end
    seen[host], hosts[#hosts + 1] = true, host
  end
  if #hosts > MOST_HOSTS then
    return nil, ("it has %d hosts, more than %d"):format(#hosts, MOST_HOSTS)
  end
  return hosts
end

local function read_prefix(path)
  local prefix = path:gsub("/+$", "")
  if prefix == "" then return PREFIX end
  if #prefix > LONGEST_PREFIX then
    return nil, ("the prefix is longer than %d bytes"):format(LONGEST_PREFIX)
  end
  for part in prefix:gmatch "/([^/]*)" do
    if not part:find "^[%w_-][%w._-]*$" then
      return nil, ("the prefix %s is none; allowed: /NAME or /NAME/NAME of A-Z, a-z, 0-9, '.', "
        .. "'_' and '-'"):format(schema.show(prefix))
    end
  end
  return prefix
end

local function read(text)
  if text:find "[%c%s]" then return nil, "it has a space or a control character" end
  if text:find("@", 1, true) then return nil, SECRET end
  local scheme, authority, rest = text:match "^(%a[%w+.-]*)://([^/?#]*)(.*)$"
  if not scheme then return nil, "it does not begin with etcd+https:// or etcd+http://" end
  scheme = scheme:lower()
  if not SCHEMES[scheme] then return nil, scheme_fault(scheme) end
  local path, run = rest:match "^([^#]*)#?(.*)$"
  if path:find("?", 1, true) then return nil, QUERY end
  local hosts, fault = read_hosts(authority)
  if not hosts then return nil, fault end
  local prefix
  prefix, fault = read_prefix(path)
  if not prefix then return nil, fault end
  local is_named = rest:find("#", 1, true) ~= nil
  if is_named and not M.RUN.test(run) then
    return nil, ("the run is %s; allowed: %s"):format(schema.show(run), M.RUN.allowed)
  end
  return { scheme = SCHEMES[scheme], hosts = hosts, prefix = prefix, run = is_named and run or nil,
    store = ("%s://%s%s"):format(scheme, table.concat(hosts, ","), prefix) }
end

--- Reads an address.
---@param text string
---@return alicloud.dr.Address|nil
---@return string? message one line without a secret
function M.parse(text)
  local address, fault = read(text)
  if not address then
    return nil, ("got %s: %s; allowed: %s"):format(shown(text), fault, M.FORM)
  end
  address.text = address.store .. (address.run and "#" .. address.run or "")
  return address
end

--- The address of a run in a store.
---@param address alicloud.dr.Address
---@param run string
---@return string
function M.of_run(address, run)
  return address.store .. "#" .. run
end

--- The directory or the store of a journal.
---@param name string path or address of a run
---@return string
function M.beside(name)
  local address = M.is_address(name) and M.parse(name)
  return address and address.store or name:match "^(.*)/[^/]*$" or "."
end

--- The store that the environment names.
---@param getenv fun(name: string): string|nil
---@return alicloud.dr.Address|nil nil: it names none, or a wrong one
---@return string? message what is wrong with it
function M.from_environment(getenv)
  local text = getenv(M.VARIABLE)
  if not text or text == "" then return nil end
  if not M.is_address(text) then
    return nil, ("%s: got %s; allowed: %s, without #RUN; a directory: ALICLOUD_DR_JOURNALS")
      :format(M.VARIABLE, shown(text), M.FORM:gsub("#.*$", ""))
  end
  local address, message = M.parse(text)
  if not address then return nil, M.VARIABLE .. ": " .. message end
  if address.run then
    return nil, ("%s: it names the run %s; allowed: an address without #RUN, where every run gets "
      .. "a name of its own"):format(M.VARIABLE, schema.show(address.run))
  end
  return address
end

--- The path of this machine's copy of a run's journal. The order of the members does not matter.
---@param address alicloud.dr.Address of a run
---@param getenv fun(name: string): string|nil
---@return string|nil path nil: no directory for such files is known
function M.mirror(address, getenv)
  local directory = user_directory.state(getenv)
  if not directory then return nil end
  local hosts = table.move(address.hosts, 1, #address.hosts, 1, {})
  table.sort(hosts)
  local store = core.sha256(table.concat(hosts, ",") .. address.prefix)
  return ("%s/alicloud-dr/mirrors/%s-%s.mirror"):format(directory, address.run, store:sub(1, 10))
end

--- Whether a file is such a copy. Nothing is resumed from one: only the store counts.
---@param path string
---@return boolean
function M.is_mirror(path)
  return path:find "%.mirror$" ~= nil
end

---@class alicloud.dr.StoreAccess how a shared store is reached
---@field user string?
---@field password string? only with a user
---@field ca_file string? PEM bundle of trusted roots, instead of the system's
---@field client_cert string? PEM file
---@field client_key string? PEM file
---@field proxy string "none" unless the environment names one

--- The error of an address, or of how its store is reached.
---@param message string
---@return alicloud.Error
function M.failure(message)
  return errors.new { kind = "journal", code = "Client.JournalFailed", outcome = "not_sent",
    message = message }
end

-- Reads the password. The file must be trusted: whoever writes it chooses as whom we log in.
local function read_password(path, runtime)
  local read_file = runtimes.has_real_files(runtime) and trusted_files.read or runtime.read_file
  local text, message = read_file(path)
  if not text then return nil, ("%s: %s"):format(PASSWORD_FILE, message) end
  local line = text:gsub("\r?\n$", "")
  if line == "" or line:find "%c" then
    return nil, ("%s: %s holds no password: one line is allowed"):format(PASSWORD_FILE, path)
  end
  return line
end

local function password_of(values, runtime)
  if values[PASSWORD] and values[PASSWORD_FILE] then
    return nil, ("%s and %s are both set; allowed: one of the two"):format(PASSWORD, PASSWORD_FILE)
  end
  local named = values[PASSWORD] and PASSWORD or values[PASSWORD_FILE] and PASSWORD_FILE
  if named and not values[USER] then
    return nil, ("%s is set without %s"):format(named, USER)
  end
  if values[USER] and not named then
    return nil, ("%s is set without %s or %s"):format(USER, PASSWORD_FILE, PASSWORD)
  end
  if values[PASSWORD_FILE] then return read_password(values[PASSWORD_FILE], runtime) end
  return values[PASSWORD]
end

-- Refuses a password over plain HTTP, except to this machine.
local function plain_fault(address, values)
  if address.scheme == "https" or not values[USER] then return nil end
  for _, host in ipairs(address.hosts) do
    if not endpoint.is_loopback(host) then
      return ("%s is set, and plain HTTP would show the password to everybody between here and "
        .. "%s; allowed: etcd+https"):format(USER, host)
    end
  end
end

local function read_access(address, runtime)
  local values = {}
  for _, name in ipairs(M.ACCESS) do
    local value = runtime.getenv(name)
    if value ~= "" then values[name] = value end
  end
  local password, fault = password_of(values, runtime)
  fault = fault or plain_fault(address, values)
  if values[KEY_FILE] and not values[CERT_FILE] then
    fault = fault or ("%s is set without %s"):format(KEY_FILE, CERT_FILE)
  end
  if values[PROXY] and not proxies.RULE.test(values[PROXY]) then
    fault = fault or ("%s: allowed: %s"):format(PROXY, proxies.RULE.allowed)
  end
  if fault then return nil, fault end
  return { user = values[USER], password = password, ca_file = values[CA_FILE],
    client_cert = values[CERT_FILE], client_key = values[KEY_FILE],
    proxy = values[PROXY] or "none" }
end

--- Reads from the environment how a store is reached.
---@param address alicloud.dr.Address
---@param runtime alicloud.Runtime
---@return alicloud.dr.StoreAccess|nil
---@return alicloud.Error? err names the variable
function M.access(address, runtime)
  local access, message = read_access(address, runtime)
  if not access then return nil, M.failure(message) end
  return access
end

return M
