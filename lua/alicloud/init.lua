--- alicloud-dr: disaster recovery for Alibaba Cloud block storage.
--
--     local alicloud = require "alicloud"
--     local ebs = alicloud.client { region = "cn-shanghai" }:service "ebs"
--     local groups, err = ebs:DescribeDiskReplicaGroups { GroupIds = "pg-orders" }

require "alicloud.base.lua_version"
local core = require "alicloud.core"
local errors = require "alicloud.base.error"
local lazy = require "alicloud.base.lazy"
local metas = require "alicloud.base.meta"

---@module "alicloud.client"
local clients = lazy.module "alicloud.client"

local M = {
  _VERSION = "alicloud-dr " .. core.version.core,
  --- The error class: `error.new`, `error.is_error`.
  error = errors,
  --- JSON null, where it differs from absence: an empty position of a list.
  null = core.null,
  --- Marks a table as a JSON array, so that an empty one is encoded as [].
  array = core.array,
  --- What is known of a result besides its content: request id, attempts, seconds elapsed.
  meta = metas.of,
}

--- Makes a client. It opens and sends nothing before the first call.
---@param options? alicloud.ClientOptions
---@return alicloud.Client
function M.client(options)
  return clients.new(options)
end

return M
