local alicloud = require "alicloud"
local core = require "alicloud.core"
local sorted = require "alicloud.base.tables"

describe("the façade", function()
  it("offers what it promises and nothing else", function()
    assert.same({ "_VERSION", "array", "client", "error", "meta", "null" }, sorted.keys(alicloud))
  end)

  it("has the version of the C core", function()
    assert.equal("alicloud-dr " .. core.version.core, alicloud._VERSION)
  end)

  it("does not load the network before it is needed", function()
    local command = [[lua5.4 -e 'local alicloud = require "alicloud"
      alicloud.client { region = "r", access_key_id = "i", access_key_secret = "s" }
        :service "ebs":prepare("DescribeRegions")
      io.write(tostring(package.loaded["alicloud.transport"]))']]
    local pipe = assert(io.popen(("LUA_PATH='%s' LUA_CPATH='%s' %s")
      :format(package.path, package.cpath, command)))
    local output = pipe:read "a"
    pipe:close()
    assert.equal("nil", output)
  end)

  it("keeps an empty list a list", function()
    assert.equal("[]", core.encode(alicloud.array {}))
    assert.equal("[null]", core.encode(alicloud.array { alicloud.null }))
  end)
end)
