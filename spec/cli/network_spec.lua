-- The options about the way to the hosts, which every command takes.

local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

local function desk_with(env)
  local desk = desks.new {}
  for name, value in pairs(env or {}) do desk.env[name] = value end
  return desk
end

describe("the network on the command line", function()
  it("is shown by status -v before anybody is asked", function()
    local desk = desk_with { https_proxy = "http://ops:canary@p.example:3128" }
    local ran = desk:run("status", "-v", "--region", "cn-shanghai", "--ca-file", "/roots.pem",
      "--client-cert", "/me.pem", "--resolve", "a.example=192.0.2.1",
      "--resolve", "a.example=2001:db8::1", "--resolve", "b.example:8443=192.0.2.2")
    assert.equal(0, ran.code)
    local head = table.concat({
      "  endpoint    https://ebs.cn-shanghai.aliyuncs.com   (pattern)",
      "  proxy       http://ops:***@p.example:3128   (https_proxy)",
      "  trust       /roots.pem   (option)",
      "  client      /me.pem",
      "  resolve     a.example → 192.0.2.1, 2001:db8::1",
      "  resolve     b.example:8443 → 192.0.2.2", "",
    }, "\n")
    assert.equal(head, ran.out:sub(1, #head))
    assert.is_nil((ran.out .. ran.err):find("canary", 1, true))
  end)

  it("is an object with --json", function()
    local ran = desk_with():run("status", "-v", "--json", "--region", "cn-shanghai",
      "--network", "vpc", "--proxy", "p.example:3128", "--no-proxy", "a.example")
    local network = ran.object.network
    assert.equal("ebs-vpc.cn-shanghai.aliyuncs.com", network.endpoint.host)
    assert.same({ url = "http://p.example:3128", host = "p.example:3128",
      source = "option proxy" }, network.proxy)
    assert.equal("system", network.trust.source)
    local path = scratch.file("-----BEGIN CERTIFICATE-----\n", ".pem")
    network = desk_with { SSL_CERT_FILE = path }:run("status", "-v", "--json", "--region",
      "cn-shanghai").object.network
    assert.same({ path, "SSL_CERT_FILE" }, { network.trust.ca_file, network.trust.source })
  end)

  it("is not shown unless it is asked for", function()
    local desk = desk_with()
    assert.is_nil(desk:run("status", "--region", "cn-shanghai").out:find("proxy", 1, true))
    local ran = desk:run("status", "--json", "--region", "cn-shanghai")
    assert.is_nil(ran.object.network)
  end)

  it("may be told that there is no proxy", function()
    local env = { https_proxy = "http://p.example" }
    for _, words in ipairs { { "--proxy", "none" }, { "--no-proxy", "*" } } do
      local ran = desk_with(env):run("status", "-v", "--region", "cn-shanghai",
        table.unpack(words))
      assert.matches("\n  proxy       none\n", ran.out)
    end
  end)

  it("is refused in one line that names the option, and no password is shown", function()
    for message, words in pairs {
      ['--resolve: got "a.example"; allowed: host=address'] = { "--resolve", "a.example" },
      ['option resolve: host "a.example": got "x"; allowed: a list of IPv4 or IPv6 addresses'] =
        { "--resolve", "a.example=x" },
      ["--proxy: got text (not shown); allowed: "] = { "--proxy", "ftp://canary" },
      ["--proxy: it names a user, whose password"] = { "--proxy", "http://u:canary@p.example" },
      ["--no-proxy: got \"a;b\"; allowed: "] = { "--no-proxy", "a;b" },
      ["option client_key: it is of use with"] = { "--client-key", "/key.pem" },
    } do
      for _, command in ipairs { { "status" }, { "precheck", "pg-orders" },
        { "failover", "pg-orders", "--yes" }, { "call", "DescribeRegions" } } do
        local desk = desk_with()
        local line = { table.unpack(command) }
        for _, word in ipairs(words) do line[#line + 1] = word end
        line[#line + 1], line[#line + 2] = "--region", "cn-shanghai"
        local ran = desk:run(table.unpack(line))
        assert.equal(2, ran.code, message)
        assert.is_truthy(ran.err:find(message, 1, true), ran.err)
        assert.is_nil(ran.err:find("canary", 1, true))
        assert.equal(0, #desk:requests())
      end
    end
  end)

  it("is part of the command that goes on", function()
    local ran = desk_with():run("failover", "pg-orders", "--yes", "--region", "cn-shanghai",
      "--proxy", "p.example:3128", "--resolve", "a.example=192.0.2.1", "--ca-file", "/my roots.pem")
    assert.equal(0, ran.code)
    assert.is_truthy(ran.err:find("--proxy p.example:3128 --ca-file '/my roots.pem' "
      .. "--resolve a.example=192.0.2.1", 1, true), ran.err)
  end)
end)
