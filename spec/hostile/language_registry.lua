-- The registry, the searchers and the loaded modules are emptied.
local registry = debug.getregistry()
local dr = require "alicloud.dr"
for name in pairs(package.loaded) do package.loaded[name] = nil end
for name, value in pairs(registry) do
  if type(name) == "string" and type(value) == "userdata" then registry[name] = nil end
end
package.searchers = nil
return dr.playbook("x", function() require "alicloud.group" end)
