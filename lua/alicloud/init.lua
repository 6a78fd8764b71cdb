--- alicloud-dr: disaster recovery for Alibaba Cloud block storage.
--
--     local alicloud = require "alicloud"
--     local ebs = alicloud.client { region = "cn-shanghai" }:service "ebs"
--     local groups, err = ebs:DescribeDiskReplicaGroups { GroupIds = "pg-orders" }

require "alicloud.base.lua_version"
local core = require "alicloud.core"
local clients = require "alicloud.client"
local errors = require "alicloud.base.error"
local metas = require "alicloud.base.meta"

return {
  _VERSION = "alicloud-dr " .. core.version.core,
  --- Makes a client, see alicloud.ClientOptions.
  client = clients.new,
  --- The error class: `error.new`, `error.is_error`.
  error = errors,
  --- JSON null where it must be told from absence: a list position left empty.
  null = core.null,
  --- Marks a table as a JSON array, so that an empty one stays one.
  array = core.array,
  --- What is known about a result besides its content: request id, attempts, elapsed seconds.
  meta = metas.of,
}
