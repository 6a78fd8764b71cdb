local alicloud = require "alicloud"
local helper = require "spec.helper"
local network = require "alicloud.net.options"
local runtimes = require "alicloud.base.runtime"
local scratch = require "spec.scratch"
local transport = require "alicloud.transport"
local trust = require "alicloud.net.trust"

local PEM = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"

local function getenv_of(env)
  return function(name) return env[name] end
end

describe("the roots of a client", function()
  it("are the option's, or of one of the variables, or the system's", function()
    local roots = transport.trust()
    local env = { ALIBABA_CLOUD_CA_BUNDLE = "/a", CURL_CA_BUNDLE = "/c", SSL_CERT_FILE = "/f",
      SSL_CERT_DIR = "/d:/e" }
    local function named(config) return trust.named(config or {}, getenv_of(env)) end
    assert.same({ ca_file = "/o", source = "option" }, named { ca_file = "/o" })
    assert.same({ ca_path = "/o", source = "option" }, named { ca_path = "/o" })
    assert.same({ ca_file = "/a", source = "ALIBABA_CLOUD_CA_BUNDLE" }, named())
    env.ALIBABA_CLOUD_CA_BUNDLE = ""
    assert.same({ ca_file = "/f", ca_path = "/d:/e", source = "SSL_CERT_FILE, SSL_CERT_DIR" },
      named())
    env.SSL_CERT_DIR = nil
    assert.same({ ca_file = "/f", ca_path = roots.ca_path, source = "SSL_CERT_FILE" }, named())
    env.SSL_CERT_FILE, env.SSL_CERT_DIR = nil, "/d"
    assert.same({ ca_file = roots.ca_file, ca_path = "/d", source = "SSL_CERT_DIR" }, named())
    env.SSL_CERT_DIR = ""
    assert.same({ ca_file = "/c", source = "CURL_CA_BUNDLE" }, named())
    env.CURL_CA_BUNDLE = nil
    assert.is_nil(named())
    assert.equal("system", trust.of({}, getenv_of(env)).source)
  end)

  it("go to the transport", function()
    local settings = network.settings({ proxy = "none" }, getenv_of { CURL_CA_BUNDLE = "/c" })
    assert.same({ proxy = "none", ca_file = "/c" }, settings)
    assert.same({}, network.settings({}, getenv_of {}))
  end)
end)

describe("a variable that names roots", function()
  local function fault(env, files, config)
    local runtime = helper.runtime { env = env, files = files }
    return trust.fault(config or {}, runtime)
  end

  it("is named where its file is not there or holds no certificate", function()
    for _, name in ipairs { "SSL_CERT_FILE", "CURL_CA_BUNDLE", "ALIBABA_CLOUD_CA_BUNDLE" } do
      local env = { [name] = "/r.pem" }
      assert.equal(name .. ": /r.pem: No such file or directory; allowed: a PEM file with roots",
        fault(env))
      assert.equal(name .. ": /r.pem: it holds no certificate; allowed: a PEM file with roots",
        fault(env, { ["/r.pem"] = "-----BEGIN PRIVATE KEY-----\n" }))
      assert.is_nil(fault(env, { ["/r.pem"] = "# ours\n" .. PEM }))
      assert.is_nil(fault(env, { ["/r.pem"] = PEM:gsub("CERT", "TRUSTED CERT") }))
      assert.is_nil(fault(env, nil, { ca_file = "/o" }))
    end
  end)

  it("is named where its file may never end, and is read through links", function()
    local directory = scratch.directory()
    assert(os.execute(("cd '%s' && mkfifo fifo && ln -s pem link"):format(directory)))
    scratch.write(directory .. "/pem", PEM)
    local function fault_of(path)
      return trust.fault({}, runtimes.new { getenv = getenv_of { SSL_CERT_FILE = path } })
    end
    for _, path in ipairs { directory .. "/fifo", "/dev/zero", directory } do
      assert.equal(("SSL_CERT_FILE: %s: not a regular file, or not possible for it; allowed: a PEM "
        .. "file with roots"):format(path), fault_of(path))
    end
    assert.is_nil(fault_of(directory .. "/link"))
  end)

  it("is named where none of its directories holds a hashed certificate", function()
    local empty, hashed, absent = scratch.directory(), scratch.directory(), scratch.path()
    scratch.write(empty .. "/root.pem", PEM)
    scratch.write(hashed .. "/0123abcd.0", PEM)
    assert.matches("^SSL_CERT_DIR: .*: no such file or directory; allowed: directories of roots",
      fault { SSL_CERT_DIR = absent })
    assert.matches("^SSL_CERT_DIR: .*: it holds no hashed certificate; allowed: ",
      fault { SSL_CERT_DIR = empty })
    assert.is_nil(fault { SSL_CERT_DIR = absent .. ":" .. hashed })
  end)

  it("is refused when a client is made that would use it", function()
    local env = { SSL_CERT_FILE = "/r.pem" }
    local function make(carrier)
      return alicloud.client { access_key_id = "i", access_key_secret = "s", transport = carrier,
        runtime = helper.runtime { env = env } }
    end
    assert.matches("alicloud%.client: SSL_CERT_FILE: /r%.pem: No such file", helper.raised(make))
    assert.is_table(make { send = function() end })
  end)
end)
