local proxies = require "alicloud.net.proxy"

local function of(host, env, given)
  local want = { scheme = "https", host = host, getenv = function(name) return env[name] end }
  for name, value in pairs(given or {}) do want[name] = value end
  local found = proxies.of(want)
  return found and found.url, found and found.source
end

local HOST = "ebs.cn-shanghai.aliyuncs.com"

describe("a proxy", function()
  it("is the option, or the variable for the scheme, or the one for all", function()
    local env = { https_proxy = "http://s:1", HTTPS_PROXY = "http://S:1", http_proxy = "http://p:1",
      HTTP_PROXY = "http://P:1", all_proxy = "http://a:1", ALL_PROXY = "http://A:1" }
    assert.same({ "http://o:1", "option proxy" }, { of(HOST, env, { proxy = "o:1" }) })
    assert.same({ "http://s:1", "https_proxy" }, { of(HOST, env) })
    env.https_proxy = nil
    assert.same({ "http://S:1", "HTTPS_PROXY" }, { of(HOST, env) })
    env.HTTPS_PROXY = ""
    assert.same({ "http://a:1", "all_proxy" }, { of(HOST, env) })
    env.all_proxy = nil
    assert.same({ "http://A:1", "ALL_PROXY" }, { of(HOST, env) })
    assert.same({ "http://p:1", "http_proxy" }, { of(HOST, env, { scheme = "http" }) })
    env.http_proxy, env.ALL_PROXY = nil, nil
    assert.is_nil(of(HOST, env, { scheme = "http" }))
    assert.is_nil(of(HOST, env))
  end)

  it("is not used for this machine, nor where there shall be none", function()
    local env = { https_proxy = "http://s:1" }
    for _, host in ipairs { "127.0.0.1:80", "localhost", "[::1]:1" } do
      assert.is_nil(of(host, env, { proxy = "o:1" }))
    end
    assert.is_nil(of(HOST, env, { proxy = "none" }))
  end)

  it("leaves out the hosts of no_proxy", function()
    for list, excepted in pairs {
      ["*"] = true,
      [HOST] = true,
      ["other, " .. HOST] = true,
      ["aliyuncs.com"] = true,
      [".aliyuncs.com"] = true,
      ["ALIYUNCS.COM."] = true,
      ["yuncs.com"] = false,
      ["shanghai.aliyuncs.com"] = false,
      ["ebs.cn-beijing.aliyuncs.com"] = false,
      ["x." .. HOST] = false,
    } do
      local env = { https_proxy = "http://s:1", no_proxy = list }
      assert.equal(excepted, of(HOST .. ":443", env) == nil, list)
      assert.equal(excepted, of(HOST, env, { proxy = "o:1" }) == nil, list)
    end
    local env = { https_proxy = "http://s:1", NO_PROXY = "10.0.0.0/8,[2001:db8::1]" }
    assert.is_nil(of("10.1.1.1:8443", env))
    assert.is_nil(of("[2001:db8::1]:8443", env))
    assert.is_string(of("11.1.1.1", env))
    assert.is_string(of("10.1.1.1", env, { no_proxy = "none.example" }))
  end)

  it("is shown without its password", function()
    assert.equal("http://ops:***@p.example:3128", proxies.masked "ops:canary@p.example:3128")
    assert.equal("socks5h://ops:***@p.example", proxies.masked "socks5h://ops@p.example/")
    assert.equal("http://p.example:3128", proxies.masked "http://p.example:3128")
    assert.equal("http://a:***@p.example", proxies.masked "http://a:can@ary@p.example")
  end)

  it("is taken in one form, and a wrong one is not shown", function()
    for _, good in ipairs { "none", "p.example", "p.example:3128", "http://10.0.0.1:3128/",
      "https://u:p@p.example", "socks5://[::1]:1080", "socks5h://u:%40@p" } do
      assert.is_true(proxies.RULE.test(good), good)
    end
    for _, bad in ipairs { "", "ftp://p", "http://", "p:0", "p:x", "p/path", "u:p w@p", "u:p@q@p",
      "u:a/b@p", "http://u:p@" } do
      assert.is_false(proxies.RULE.test(bad), bad)
    end
    assert.is_true(proxies.RULE.secret)
  end)

  it("has exceptions that a host can be equal to, or lie in", function()
    for list, plain in pairs {
      ["*"] = "*", ["a.example, *"] = "*", ["a.example"] = "a.example", [".B.x,"] = "b.x",
      ["*.b.example"] = "b.example", ["a.example."] = "a.example", ["a_b\tc\n,,d"] = "a_b,c,d",
      ["10.0.0.0/8,[::1]"] = "10.0.0.0/8,::1", ["2001:db8::/32 10.0.0.1"]
        = "2001:db8::/32,10.0.0.1",
      ["0.0.0.0/0"] = "0.0.0.0/1,128.0.0.0/1", ["::/0"] = "::/1,8000::/1",
      ["https://a.example:443/x?y"] = "a.example", ["http://10.0.0.1/"] = "10.0.0.1",
      ["a.example:443,[2001:db8::1]:443"] = "a.example,2001:db8::1", ["a.example/"] = "a.example",
    } do
      local exceptions, odd = proxies.exceptions(list)
      assert.same({ plain, {} }, { exceptions, odd }, list)
      assert.is_true(proxies.NO_PROXY.test(list), list)
      assert.same({ plain, {} }, { proxies.exceptions(plain) })
    end
    for _, bad in ipairs { "", ",", " ,", "*x.example", "a.*.example", "10.*", "192.168.", "a;b",
      "a, b.example:80", "10.0.0.0/x", "10.0.0.0/33", "::1/129", "a.example/8", "a/b", "a\0", "-",
      "\u{e4}.example", "[a.example]:443:443", 5 } do
      assert.is_false(proxies.NO_PROXY.test(bad), bad)
    end
  end)

  it("is warned of where entries of the variable match no host, and there is a proxy", function()
    local function warning(env, given)
      return proxies.warning(given or {}, function(name) return env[name] end)
    end
    local env = { https_proxy = "http://s:1", NO_PROXY = "10.*,*.a.example,b.example:80" }
    local message = warning(env)
    assert.matches('^NO_PROXY: "10%.%*", "b%.example:80" matches no host', message)
    assert.equal("http://s:1", (of("x.b.example", env)))
    assert.is_nil(of("x.a.example", env))
    assert.is_nil(warning(env, { proxy = "none" }))
    assert.is_nil(warning(env, { no_proxy = "a.example" }))
    assert.is_nil(warning { NO_PROXY = "10.*" })
    assert.is_nil(warning { https_proxy = "http://s:1", no_proxy = "a.example" })
  end)
end)
