--- Checks the form of answers of etcd's gateway. Absent fields are zero, false or empty; others
--- must have their type, 64-bit numbers as decimal text. Nothing is concluded from any other
--- answer: with a lease without an id, for example, locks would stay for ever.
---
--- Source: https://github.com/etcd-io/etcd/blob/v3.5.16/api/etcdserverpb/rpc.proto

local M = {}

local function is_number(value)
  return type(value) == "string" and value:find "^-?%d+$" ~= nil
    and math.tointeger(tonumber(value)) ~= nil
end

local function is_absent_or(test, value)
  return value == nil or test(value)
end

local function is_list_of(test, value)
  if value == nil then return true end
  if type(value) ~= "table" then return false end
  for _, each in ipairs(value) do
    if type(each) ~= "table" or not test(each) then return false end
  end
  return true
end

local function is_flag(value)
  return value == nil or type(value) == "boolean"
end

local function is_text(value)
  return type(value) == "string"
end

local function is_kv(kv)
  return is_text(kv.key) and is_absent_or(is_text, kv.value) and is_number(kv.create_revision)
    and is_number(kv.mod_revision) and is_absent_or(is_number, kv.lease)
end

local function is_range(answer)
  return is_list_of(is_kv, answer.kvs) and is_flag(answer.more)
end

local function is_response(response)
  local range = response.response_range
  return range == nil or type(range) == "table" and is_range(range)
end

local function is_txn(answer)
  return is_flag(answer.succeeded) and is_list_of(is_response, answer.responses)
end

local function is_any() return true end

local SHAPES = {
  ["kv/range"] = is_range,
  ["kv/txn"] = is_txn,
  ["lease/grant"] = function(answer) return is_number(answer.ID) and is_number(answer.TTL) end,
  ["lease/keepalive"] = function(answer) return is_absent_or(is_number, answer.TTL) end,
  ["lease/timetolive"] = function(answer) return is_absent_or(is_number, answer.TTL) end,
  ["maintenance/alarm"] = function(answer) return is_list_of(is_any, answer.alarms) end,
  ["auth/authenticate"] = function(answer)
    return is_text(answer.token) and answer.token:find "^[%g]+$" ~= nil
  end,
}

-- Without this check, any other server's JSON would be read as absent keys and refusals.
local function has_header(path, header)
  if path:find "^maintenance/" then return true end
  return type(header) == "table" and is_text(header.cluster_id)
    and is_absent_or(is_number, header.raft_term)
    and (is_number(header.revision) or not path:find "^kv/")
end

--- Whether an answer has the form of etcd's answer to this request.
---@param path string below /v3/
---@param answer table
---@return boolean
function M.fits(path, answer)
  return has_header(path, answer.header) and (SHAPES[path] or is_any)(answer)
end

return M
