-- Addresses of shared stores: what they are read as, how they are refused, and what the environment
-- says of how they are reached.

local core = require "alicloud.core"
local helper = require "spec.helper"
local places = require "alicloud.dr.store.place"
local runtimes = require "alicloud.base.runtime"
local scratch = require "spec.scratch"

local function refused(text)
  local address, message = places.parse(text)
  assert.is_nil(address)
  assert.is_nil(message:find "[\n\r]")
  return message
end

describe("the address of a store", function()
  it("is read with its members, its prefix and a run", function()
    local address = assert(places.parse "etcd+https://h1:2379,h2:12379/team/dr#orders-1")
    assert.same({ scheme = "https", hosts = { "h1:2379", "h2:12379" }, prefix = "/team/dr",
      run = "orders-1", store = "etcd+https://h1:2379,h2:12379/team/dr",
      text = "etcd+https://h1:2379,h2:12379/team/dr#orders-1" }, address)
    assert.equal("etcd+https://h1:2379,h2:12379/team/dr#b", places.of_run(address, "b"))
  end)

  it("has port 2379, the prefix /alicloud-dr and no run unless it says so", function()
    local short = assert(places.parse "ETCD+HTTP://Host.Example,[::1]:1")
    assert.same({ "host.example:2379", "[::1]:1" }, short.hosts)
    assert.same({ "http", "/alicloud-dr" }, { short.scheme, short.prefix })
    assert.is_nil(short.run)
    assert.equal("etcd+http://host.example:2379,[::1]:1/alicloud-dr", short.text)
    assert.equal(short.text, assert(places.parse(short.text)).text)
    assert.equal("/alicloud-dr", assert(places.parse "etcd+http://h/").prefix)
    assert.equal("/a", assert(places.parse "etcd+http://h/a//").prefix)
  end)

  it("is told from a path by its scheme, right or wrong", function()
    for _, text in ipairs { "etcd+https://h#r", "etcd://h", "https://h:2379", "x://" } do
      assert.is_true(places.is_address(text), text)
    end
    for _, text in ipairs { "orders.jsonl", "/var/lib/a.jsonl", "etcd+https:h", "./a://b", "",
      "://a", 7 } do
      assert.is_false(places.is_address(text), tostring(text))
    end
  end)

  it("is refused with the value, the reason and the form that is allowed", function()
    local cases = {
      ["etcd+htps://h"] = 'the scheme is "etcd%+htps".*did you mean "etcd%+https"%?',
      ["etcd://h"] = 'did you mean "etcd%+https"%?',
      ["https://h:2379"] = 'did you mean "etcd%+https"%?',
      ["http://h:2379"] = 'did you mean "etcd%+http"%?',
      ["etcd+https://"] = 'host "" %(empty string%): the host is missing',
      ["etcd+https://h1,,h2"] = "the host is missing",
      ["etcd+https://h1:0"] = "port is not in 1%-65535",
      ["etcd+https://h1,H1:2379"] = 'host "h1:2379" is there twice',
      ["etcd+https://h/a b"] = "space",
      ["etcd+https://h/a/../b"] = "the prefix",
      ["etcd+https://h/a//b"] = "the prefix",
      ["etcd+https://h/" .. ("a"):rep(200)] = "longer than 200",
      ["etcd+https://h#"] = 'the run is "" %(empty string%); allowed: 1 to 128',
      ["etcd+https://h#.hidden"] = "the run is",
      ["etcd+https://h#a/b"] = "the run is",
      ["etcd+https://h#a#b"] = "the run is",
    }
    for text, pattern in pairs(cases) do
      local message = refused(text)
      assert.matches(pattern, message)
      assert.matches("^got \"", message)
      assert.matches("allowed: etcd%+https://HOST:2379,HOST:2379/PREFIX#RUN$", message)
    end
  end)

  it("takes no secret, shows none, and names the variables that do", function()
    for _, text in ipairs { "etcd+https://root:geheim@h1:2379/x#r", "etcd+https://u:geheim/1@h",
      "etcd+https://geheim@", "etcd+https://u:1?geheim@h", "etcd+https://u:a@geheim@h",
      "u:geheim@h1:2379", "etcd+https:/u:geheim@h1" } do
      local message = refused(text)
      assert.is_nil(message:find("geheim", 1, true), message)
      assert.matches("ALICLOUD_DR_STORE_USER and ALICLOUD_DR_STORE_PASSWORD_FILE", message)
    end
    local message = refused "etcd+https://h/a?password=geheim#r"
    assert.is_nil(message:find("geheim", 1, true))
    assert.matches("ALICLOUD_DR_STORE_CA_FILE", message)
  end)
end)

describe("the environment", function()
  local function named(text)
    return places.from_environment(function(name)
      return name == "ALICLOUD_DR_STORE" and text or nil
    end)
  end

  it("shows no secret of what it names", function()
    for _, text in ipairs { "u:geheim@h1:2379", "etcd+https:/u:geheim@h1",
      "etcd+https://u:geheim@h1" } do
      local _, message = named(text)
      assert.is_nil(message:find("geheim", 1, true), message)
      assert.matches("%*%*%*@h1", message)
    end
  end)

  it("names the store where runs live, without a run", function()
    assert.equal("etcd+https://h:2379/dr", assert(named "etcd+https://h/dr").text)
    assert.same({}, { named(nil) })
    assert.same({}, { named "" })
    local _, message = named "/var/lib/alicloud-dr"
    assert.matches("^ALICLOUD_DR_STORE: got .*a directory: ALICLOUD_DR_JOURNALS$", message)
    _, message = named "etcd+https://h#orders"
    assert.matches('^ALICLOUD_DR_STORE: it names the run "orders"', message)
    _, message = named "etcd+htps://h"
    assert.matches("^ALICLOUD_DR_STORE: got ", message)
  end)

  local function access(text, env, files)
    return places.access(assert(places.parse(text)), helper.runtime { env = env, files = files })
  end

  it("says how a store is reached: no proxy and nobody, unless it says more", function()
    assert.same({ proxy = "none" }, access("etcd+https://h", {}))
    assert.same({ user = "ops", password = "geheim", ca_file = "/ca", client_cert = "/cert",
      client_key = "/key", proxy = "http://p:1" }, access("etcd+https://h", {
      ALICLOUD_DR_STORE_USER = "ops", ALICLOUD_DR_STORE_PASSWORD = "geheim",
      ALICLOUD_DR_STORE_CA_FILE = "/ca", ALICLOUD_DR_STORE_CERT_FILE = "/cert",
      ALICLOUD_DR_STORE_KEY_FILE = "/key", ALICLOUD_DR_STORE_PROXY = "http://p:1" }))
  end)

  it("takes a password from a file, without the end of its line", function()
    local env = { ALICLOUD_DR_STORE_USER = "ops", ALICLOUD_DR_STORE_PASSWORD_FILE = "/pw" }
    for text, wanted in pairs { ["geheim\n"] = "geheim", ["a b\r\n"] = "a b", ["x"] = "x" } do
      assert.equal(wanted, access("etcd+https://h", env, { ["/pw"] = text }).password)
    end
    for _, text in ipairs { "", "\n", "a\nb\n" } do
      local _, err = access("etcd+https://h", env, { ["/pw"] = text })
      assert.matches("ALICLOUD_DR_STORE_PASSWORD_FILE: /pw holds no password", err.message)
    end
    local _, err = access("etcd+https://h", env)
    assert.matches("/pw: No such file", err.message)
  end)

  it("is obeyed only by a file that nobody else may write", function()
    local path = scratch.directory() .. "/password"
    scratch.write(path, "geheim\n")
    local runtime = runtimes.new { getenv = function(name)
      return ({ ALICLOUD_DR_STORE_USER = "ops", ALICLOUD_DR_STORE_PASSWORD_FILE = path })[name]
    end }
    local address = assert(places.parse "etcd+https://h")
    assert.equal("geheim", assert(places.access(address, runtime)).password)
    assert(os.execute("chmod 666 " .. path))
    local access_now, err = places.access(address, runtime)
    assert.is_nil(access_now)
    assert.matches("may be written by everybody", err.message)
  end)

  it("is refused where it contradicts itself, and no password is shown", function()
    local cases = {
      ["_PASSWORD is set without ALICLOUD_DR_STORE_USER"] = { PASSWORD = "geheim" },
      ["_USER is set without"] = { USER = "ops" },
      ["both set"] = { USER = "ops", PASSWORD = "geheim", PASSWORD_FILE = "/x" },
      ["_KEY_FILE is set without ALICLOUD_DR_STORE_CERT_FILE"] = { KEY_FILE = "/x" },
      ["_PROXY: allowed: "] = { PROXY = "u:geheim@:::" },
    }
    for text, given in pairs(cases) do
      local env = {}
      for name, value in pairs(given) do env["ALICLOUD_DR_STORE_" .. name] = value end
      local none, err = access("etcd+https://h", env)
      assert.is_nil(none)
      assert.same({ "journal", "Client.JournalFailed", "not_sent" },
        { err.kind, err.code, err.outcome })
      assert.is_truthy(err.message:find(text, 1, true), err.message)
      assert.is_nil(tostring(err):find("geheim", 1, true))
      assert.is_nil(core.encode { err.message, err.hint }:find("geheim", 1, true))
    end
  end)

  it("sends no password over plain HTTP, but to this very machine", function()
    local env = { ALICLOUD_DR_STORE_USER = "ops", ALICLOUD_DR_STORE_PASSWORD = "geheim" }
    local _, err = access("etcd+http://127.0.0.1,h2:2379", env)
    assert.matches("plain HTTP would show the password .*h2:2379; allowed: etcd%+https",
      err.message)
    assert.equal("geheim", access("etcd+http://127.0.0.1,localhost:1", env).password)
    assert.same({ proxy = "none" }, access("etcd+http://h2", {}))
  end)
end)
