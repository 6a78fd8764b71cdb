--- What the fields of requests and answers hold, by their canonical names: which are left out,
--- which get a pseudonym, and which are kept. A value of an unlisted field is judged by its form.

local regions = require "alicloud.service.common.regions"
local services = require "alicloud.service"
local documented = require "alicloud.service.ebs.states"

local M = {}

--- The canonical form of a name: lower case, without hyphens, underscores and blanks.
---@param name string
---@return string
function M.canonical(name)
  return (name:lower():gsub("[%-_%s]", ""))
end

local function by_name(groups)
  local of = {}
  for what, names in pairs(groups) do
    for name in names:gmatch "%S+" do of[name] = what end
  end
  return of
end

--- Fields that are left out of copies.
M.DROPPED = by_name { dropped = [[
  signature signaturenonce signaturemethod signatureversion signaturetype securitytoken
  authorization proxyauthorization xacssecuritytoken xacssignaturenonce xacssignature
  xacscredentials xacscredentialsprovider encodeddiagnosticmessage cookie setcookie
  accesskeysecret accesssecret secretaccesskey secretkey secret password passwd token sessiontoken
  ststoken oidctoken samlassertion userdata privatekey xacscontentsha256 xacsstsaccesstoken ]] }

--- Whether a field is left out: it is listed, or a header of credentials.
---@param canonical string
---@return boolean
function M.is_dropped(canonical)
  return M.DROPPED[canonical] ~= nil or canonical:find "^xacscredentials" ~= nil
end

--- Fields whose values get a pseudonym of a kind.
M.KIND = by_name {
  pg = "replicagroupid replicagroupids groupid groupids",
  pair = "replicapairid replicapairids pairid pairids",
  d = "diskid diskids sourcediskid destinationdiskid drilldiskid",
  i = "instanceid instanceids ecsinstanceid",
  drill = "drillid drillids",
  res = "resourceid resourceids imageid snapshotid orderid serialnumber hpcclusterid "
    .. "autosnapshotpolicyid kmskeyid deploymentsetid sourcesnapshotid storageclusterid "
    .. "storagesetid dedicatedhostid",
  rg = "resourcegroupid newresourcegroupid",
  acct = "accountid ownerid userid uid resourceownerid resourceowneraccount owneraccount parentid "
    .. "calleruid principalid roleid assumedroleid requestuid",
  key = "accesskeyid accesskey credential",
  name = "groupname pairname replicagroupname name diskname instancename hostname keypairname "
    .. "username rolename rolesessionname displayname imagename localname",
  ip = "ipaddress privateipaddress privateipaddresses publicipaddress publicipaddresses "
    .. "eipaddress eipaddresses innerip inneripaddress inneripaddresses primaryipaddress "
    .. "rdmaipaddresses ipv6address macaddress sourceip",
  net = "vpcid vswitchid securitygroupid securitygroupids networkinterfaceid",
  tag = "tagkey tagkeys filterkey tagfilterkey key",
  value = "tagvalue tagvalues filtervalue tagfiltervalue value",
  token = "clienttoken xacsclienttoken",
  page = "nexttoken",
  text = "description policy externalid",
}

--- Fields whose values are kept if they have the form that is named here.
M.KEPT = by_name {
  region = "regionid region sourceregionid sourceregion destinationregionid destinationregion "
    .. "primaryregion standbyregion xacsregionid",
  zone = "zoneid sourcezoneid destinationzoneid primaryzone standbyzone azone",
  word = "status drilldiskstatus site chargetype resourcetype resourcetypes type disktype category "
    .. "diskchargetype instancechargetype stoppedmode identitytype performancelevel periodunit "
    .. "lockreason action format acceptlanguage additionalattributes xacsaction product "
    .. "instancenetworktype internetchargetype multiattach authaction nopermissiontype "
    .. "authprincipaltype policytype",
  code = "code q",
  model = "instancetype instancetypefamily",
  device = "device",
  request = "requestid xacsrequestid",
  host = "hostid host regionendpoint",
  time = "timestamp creationtime attachedtime detachedtime starttime expiration expiredtime "
    .. "createtime xacsdate",
  message = "message statusmessage recommend",
  version = "version xacsversion",
}

--- Header fields of requests and answers that are kept.
M.HEADERS = {
  request = by_name { kept = "accept contenttype xacsaction xacsversion xacsdate date "
    .. "acceptencoding xacsretryattempts xacsretrydelay" },
  response = by_name { kept = "date contenttype server xacsrequestid retryafter "
    .. "xratelimituser xratelimituserapi xratelimituserproduct xratelimitapi contentencoding "
    .. "xemulator" },
}

-- Words of the format of recordings, and of answers of the service in general.
local OWN_WORDS = [[
  action attempt command detail difference assumption dropped redaction could not be proved failure
  headers host json kind mutating params product region request response sent status text tool
  version method alicloud-dr alicloud-dr-emulator emulator application charset utf-8 identity gzip
  accept-encoding accept content-type content-length date server x-acs-action x-acs-version
  x-acs-date x-acs-request-id x-acs-retry-attempts x-acs-retry-delay x-acs-signature-nonce
  x-acs-content-sha256 x-acs-security-token x-emulator x-ratelimit-user-api x-ratelimit-user
  retry-after content-encoding in-process acs3-hmac-sha256 acs3-hmac-sm3 hmac-sha1 true false null
  post get put aliyuncs.com aliyun alibabacloud api.alibabacloud.com troubleshoot https http acs
  production backup requestid recommend hostid message code accessdenieddetail authaction
  production-side zh-cn en-us cloud_essd cloud_auto cloud_ssd cloud_efficiency local_disk
  diskreplicapair diskreplicagroup payasyougo prepay postpaid prepaid keepcharging stopcharging
  max_rpo group groups attach expires start clear list failover failback drill planned fleet
  no_proxy timeout resolve connect closed receive cancelled malformed
  interrupted connection refused resolve receive certificate
]]

local function add_param(words, name, rule)
  words[#words + 1] = name
  for _, value in ipairs(rule.values or {}) do words[#words + 1] = tostring(value) end
  for inner, its in pairs(rule.fields or rule.items and rule.items.fields or {}) do
    add_param(words, inner, its)
  end
end

local function add_error(words, code, entry)
  words[#words + 1] = code
  for _, text in pairs(entry) do
    if type(text) == "string" then words[#words + 1] = text end
  end
end

local function add_product(words, product)
  local data = services.data(product)
  for code, entry in pairs(data.errors or {}) do add_error(words, code, entry) end
  for action, operation in pairs(data.operations) do
    words[#words + 1] = action
    for name, rule in pairs(operation.params) do add_param(words, name, rule) end
    for _, field in ipairs(operation.response or {}) do words[#words + 1] = field[1] end
  end
end

local made

-- Collects all words and texts, once.
local function all_words()
  if made then return made end
  local words = { OWN_WORDS, "ebs", "ecs", "sts" }
  for _, product in ipairs { "ebs", "ecs", "sts" } do add_product(words, product) end
  for _, region in ipairs(regions.known) do words[#words + 1] = region end
  for _, list in pairs(documented) do table.move(list, 1, #list, #words + 1, words) end
  local text = table.concat(words, "\n"):lower()
  local set = {}
  for word in text:gmatch "[%w_%.%-]+" do set[word:gsub("%.+$", "")] = true end
  for word in text:gmatch "%w+" do set[word] = true end
  made = { text = text, set = set }
  return made
end

--- All words that recordings contain anyway, in lower case, separated by line ends.
---@return string
function M.vocabulary()
  return all_words().text
end

--- Whether a word is in the vocabulary.
---@param word string
---@return boolean
function M.is_word(word)
  return all_words().set[word:lower()] ~= nil
end

--- Whether a name is that of a known field, or a word of the vocabulary.
---@param name string
---@return boolean
function M.is_name(name)
  local canonical = M.canonical(name)
  return M.KIND[canonical] ~= nil or M.KEPT[canonical] ~= nil or M.is_word(name)
end

return M
