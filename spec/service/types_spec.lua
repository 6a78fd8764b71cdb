local scratch = require "spec.scratch"
local types = require "spec.types"

local page_params = scratch.read("lua/alicloud/client/pager.lua")
  :match("%-%-%-@class alicloud%.PageParams\n(.-)\n\n")

describe("the declarations for editors", function()
  for _, product in ipairs(types.PRODUCTS) do
    local data = require("alicloud.service." .. product)

    it("are what the data makes (else: make types): " .. product, function()
      for path, text in pairs(types.texts(product)) do assert.equal(text, scratch.read(path)) end
    end)

    it("are Lua and declare every operation, parameter and response: " .. product, function()
      local text = ""
      for _, each in pairs(types.texts(product)) do text = text .. each .. "\n" end
      assert(load(text))
      for name, operation in pairs(data.operations) do
        assert.is_truthy(text:find("\n---@field " .. name .. " fun(self", 1, true), name)
        local space = ("\n---@class alicloud.%s.%s"):format(product, name)
        local parent, body = text:match(space .. "Params(%C*)\n(.-)\n\n")
        if parent == ": alicloud.PageParams" then body = body .. page_params end
        for param in pairs(operation.params) do
          assert.is_truthy(body:find("---@field " .. param .. "%f[%W]"), name .. param)
        end
        local is_acknowledged = #operation.response == 1
        assert.equal(not is_acknowledged, text:find(space .. "Result%f[:\n]") ~= nil, name)
      end
      for waiter in pairs(data.waiters) do
        assert.is_truthy(text:find(('---| "%s"\n'):format(waiter), 1, true), waiter)
      end
    end)
  end
end)
