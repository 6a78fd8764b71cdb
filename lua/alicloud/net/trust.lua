--- Finds the root certificates that a client trusts: the named ones, else the system's.
--
-- In this order: the options ca_file and ca_path; `ALIBABA_CLOUD_CA_BUNDLE`, a bundle that replaces
-- all roots (as in the vendor's SDK for Python); `SSL_CERT_FILE` and `SSL_CERT_DIR`, each replacing
-- the system's file or directory (as in OpenSSL and the vendor's command line tool);
-- `CURL_CA_BUNDLE`, again a bundle that replaces all roots (as in the program curl).

local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local runtimes = require "alicloud.base.runtime"

local M = {}

---@class alicloud.Trust
---@field ca_file? string
---@field ca_path? string directories separated by ":"
---@field source string "option", "system", or the names of the variables

local function variable(getenv, name)
  local value = getenv(name)
  return value ~= "" and value or nil
end

local function bundle(getenv, name)
  local file = variable(getenv, name)
  return file and { ca_file = file, source = name } or nil
end

-- What OpenSSL's variables name; a field that they do not name is nil and stays the system's.
local function openssl(getenv)
  local file, path = variable(getenv, "SSL_CERT_FILE"), variable(getenv, "SSL_CERT_DIR")
  if not file and not path then return nil end
  return { ca_file = file, ca_path = path, source = file and path and "SSL_CERT_FILE, SSL_CERT_DIR"
    or file and "SSL_CERT_FILE" or "SSL_CERT_DIR" }
end

local function from_environment(getenv)
  return bundle(getenv, "ALIBABA_CLOUD_CA_BUNDLE") or openssl(getenv)
    or bundle(getenv, "CURL_CA_BUNDLE")
end

--- The roots that options or environment name; nil if the system's are used.
---@param config { ca_file?: string, ca_path?: string }
---@param getenv fun(name: string): string|nil
---@return alicloud.Trust|nil
function M.named(config, getenv)
  if config.ca_file or config.ca_path then
    return { ca_file = config.ca_file, ca_path = config.ca_path, source = "option" }
  end
  local named = from_environment(getenv)
  if named and named.source:find "SSL" then
    local roots = require "alicloud.transport".trust()
    named.ca_file, named.ca_path = named.ca_file or roots.ca_file, named.ca_path or roots.ca_path
  end
  return named
end

--- The roots that are used, for display.
---@param config { ca_file?: string, ca_path?: string }
---@param getenv fun(name: string): string|nil
---@return alicloud.Trust
function M.of(config, getenv)
  local named = M.named(config, getenv)
  if named then return named end
  local roots = require "alicloud.transport".trust()
  return { ca_file = roots.ca_file, ca_path = roots.ca_path, source = "system" }
end

local function file_fault(path, runtime)
  local text, message = runtimes.read_regular(runtime, path)
  if not text then return message or path .. ": it is no file" end
  local has_one = text:find "%-%-%-%-%-BEGIN [X509TRUSED ]*CERTIFICATE%-%-%-%-%-"
  return not has_one and path .. ": it holds no certificate" or nil
end

-- Nil if one directory of the list holds a root; a missing one does not matter then.
local function path_fault(list)
  local fault
  for path in list:gmatch "[^:]+" do
    local names, message = core.list_directory(path)
    for _, name in ipairs(names or {}) do
      if name:find "^%x%x%x%x%x%x%x%x%.%d" then return nil end
    end
    fault = fault or names and path .. ": it holds no hashed certificate" or message
  end
  return fault
end

--- What is wrong with a variable that names roots; nil if nothing is. Faults of an option are not
--- found here: the call that needs its file reports them.
---@param config { ca_file?: string, ca_path?: string }
---@param runtime alicloud.Runtime
---@return string|nil
function M.fault(config, runtime)
  local roots = not config.ca_file and not config.ca_path and from_environment(runtime.getenv)
  if not roots then return nil end
  local fault = roots.ca_file and file_fault(roots.ca_file, runtime)
  if fault then
    return ("%s: %s; allowed: a PEM file with roots"):format(roots.source:match "^[%w_]+",
      errors.clean(fault))
  end
  fault = roots.ca_path and path_fault(roots.ca_path)
  return fault and ("SSL_CERT_DIR: %s; allowed: directories of roots that openssl rehash has "
    .. "named, with : between them"):format(errors.clean(fault)) or nil
end

return M
