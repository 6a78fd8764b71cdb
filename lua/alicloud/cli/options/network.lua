--- Options that say how hosts are reached, for every command that talks to the service, and the
--- lines about it of `status -v`.

local core = require "alicloud.core"
local help = require "alicloud.cli.help"
local lazy = require "alicloud.base.lazy"
local schema = require "alicloud.base.schema"
local shell = require "alicloud.base.shell"
local tables = require "alicloud.base.tables"
local terminal = require "alicloud.cli.terminal"

---@module "alicloud.net.options"
local net_options = lazy.module "alicloud.net.options"
---@module "alicloud.dr.playbook.way"
local ways = lazy.module "alicloud.dr.playbook.way"

local M = {}

local FOREIGN_BITS = tonumber("077", 8)

-- Options by their key in args, which is the client's option too; in the order of the help.
local NAMES = { "network", "proxy", "no_proxy", "ca_file", "ca_path", "client_cert", "client_key" }

local FILES = { "ca_file", "ca_path", "client_cert", "client_key" }

local function typed(name)
  return "--" .. name:gsub("_", "-")
end

local function add_all(command)
  command:option("--network", "Hosts to ask, from outside or inside a VPC; else "
    .. "$ALIBABA_CLOUD_ENDPOINT_TYPE."):argname "<network>":choices { "public", "vpc" }
  command:option("--proxy", "[scheme://]host[:port], or none; else $https_proxy, which may hold a "
    .. "password."):argname "<url>"
  command:option("--no-proxy", "Hosts to ask directly, *.a.example,10.0.0.0/8; else $no_proxy.")
    :argname "<hosts>"
  command:option("--resolve", "Address of a host, for a day without DNS; again for another one.")
    :argname "<host=ip>":count "*"
  command:option("--ca-file", "PEM bundle of trusted roots; else $SSL_CERT_FILE, or the system's.")
    :argname "<file>"
  command:option("--ca-path", "Directory of hashed roots; else $SSL_CERT_DIR, or the system's.")
    :argname "<directory>"
  command:option("--client-cert", "PEM certificate of this client, with or without its key.")
    :argname "<file>"
  command:option("--client-key", "PEM key of the certificate, without a passphrase.")
    :argname "<file>"
  command:option("--tls-key-log", "Append the keys of TLS connections to it, for who has to look "
    .. "into them."):argname "<file>"
end

---@param command table of argparse
function M.add(command)
  help.connection(command, function() add_all(command) end)
end

local function pins(words, refuse)
  local resolve
  for _, word in ipairs(words or {}) do
    local host, address = word:match("^([^=]+)=(.+)$")
    if not host then
      refuse(("--resolve: got %s; allowed: host=address"):format(schema.show(word)))
    end
    resolve = resolve or {}
    resolve[host] = resolve[host] or {}
    table.insert(resolve[host], address)
  end
  return resolve
end

--- Reads the options into options of a client.
---@param args table
---@param refuse fun(message: string) stops the command
---@return table
function M.read(args, refuse)
  local given = { resolve = pins(args.resolve, refuse), network = args.network }
  for name, rule in pairs(net_options.SCHEMA) do
    local value = args[name]
    if name ~= "resolve" and value ~= nil then
      if not rule.test(value) then
        local shown = rule.secret and "text (not shown)" or schema.show(value)
        refuse(("%s: got %s; allowed: %s"):format(typed(name), shown, rule.allowed))
      end
      given[name] = value
    end
  end
  if given.proxy and given.proxy:find("@", 1, true) then
    refuse("--proxy: it names a user, whose password the command line would show to everybody on "
      .. "this machine; allowed: host[:port] here, or all of it in https_proxy")
  end
  return given
end

--- With --tls-key-log, writes the keys of TLS connections to a file that only this user may use.
--- The variable SSLKEYLOGFILE has no such effect.
---@param args table
---@param io alicloud.cli.Io
---@param refuse fun(message: string) stops the command
function M.log_keys(args, io, refuse)
  local path = args.tls_key_log
  if not path then return end
  local file, message = core.open_file(path, "append")
  if not file then refuse("--tls-key-log: " .. message) end
  local about = file:stat()
  file:close()
  if not about or not about.own or about.mode & FOREIGN_BITS ~= 0 then
    refuse(("--tls-key-log: %s: others may use it; take a new file, or: chmod 600 %s"):format(
      terminal.clean(path), shell.quote(path)))
  end
  if not require("alicloud.transport").log_keys(path) then
    refuse "--tls-key-log: the TLS library cannot do that"
  end
  io.err(("alicloud-dr: warning: whoever reads %s can read this command's connections\n"):format(
    terminal.clean(path)))
end

--- These options as they were typed, for a printed command.
---@param args table
---@return string[]
function M.typed(args)
  local all = {}
  for _, name in ipairs(NAMES) do
    if args[name] then all[#all + 1] = shell.option(typed(name), args[name]) end
  end
  for _, pin in ipairs(args.resolve or {}) do all[#all + 1] = shell.option("--resolve", pin) end
  return all
end

--- The typed options that say how to reach the service, for the journal of a run. Paths are made
--- whole, since the run may be resumed in another directory.
---@param args table
---@return alicloud.dr.Way|nil nil: none was typed
function M.way(args)
  local way = {}
  for _, name in ipairs(ways.NAMES) do way[name] = args[name] end
  for _, name in ipairs(FILES) do
    way[name] = way[name] and core.real_path(way[name]) or way[name]
  end
  if way.resolve and not way.resolve[1] then way.resolve = nil end
  return next(way) and way or nil
end

--- The same as words of a printed command.
---@param args table
---@return string[]
function M.reach(args)
  return ways.options(M.way(args))
end

local function line(label, text)
  return ("  %-12s%s\n"):format(label, terminal.clean(text))
end

local function proxy_text(proxy)
  return proxy and ("%s   (%s)"):format(proxy.url, proxy.source) or "none"
end

local function pin_lines(resolve)
  local lines = {}
  for i, host in ipairs(tables.keys(resolve or {})) do
    lines[i] = line("resolve", ("%s → %s"):format(host, table.concat(resolve[host], ", ")))
  end
  return table.concat(lines)
end

local function trust_text(trust)
  local stores = {}
  stores[#stores + 1] = trust.ca_file
  stores[#stores + 1] = trust.ca_path
  return ("%s   (%s)"):format(#stores > 0 and table.concat(stores, ", ") or "no roots found",
    trust.source)
end

--- Lines that show people how the requests reach the service.
---@param network alicloud.Network
---@return string
function M.lines(network)
  local target = network.endpoint
  return line("endpoint", ("%s://%s   (%s)"):format(target.scheme, target.host, target.source))
    .. line("proxy", proxy_text(network.proxy))
    .. line("trust", trust_text(network.trust))
    .. (network.client_cert and line("client", network.client_cert) or "")
    .. pin_lines(network.resolve)
end

return M
