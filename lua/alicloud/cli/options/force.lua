--- `--force CODE --why TEXT`: lets a person overrule a finding of the pre-check.

local forces = require "alicloud.dr.model.force"
local options = require "alicloud.cli.options"
local shell = require "alicloud.base.shell"

local M = {}

--- Adds `--force`; the caller adds `--why` and `--as`.
---@param command table of argparse
---@param codes? string[] those that may be overruled; nil: all of a pre-check
function M.add(command, codes)
  codes = codes or forces.CODES
  command:option("--force", "Overrule a finding of the pre-check that the service may see "
    .. "otherwise, by its code; needs --why, and --as or $USER. Codes: "
    .. table.concat(codes, ", ") .. "."):argname "<code>":choices(codes):count "*"
end

--- Adds `--why` and `--as` where they are for `--force` alone.
---@param command table of argparse
function M.add_person(command)
  command:option("--why", "Reason for --force."):argname "<text>"
  command:option("--as", "Who overrules; else $USER."):target "requester":argname "<name>"
end

--- Reads the option; refuses a missing reason or name.
---@param args table
---@param person string|nil name of the person who overrules
---@return alicloud.dr.Force[]|nil
function M.read(args, person)
  local list = {}
  for i, code in ipairs(args.force or {}) do
    if not (args.why and args.why:find "%S") or not person then
      options.refuse "--force: needs --why TEXT and, without $USER, --as NAME"
    end
    list[i] = { code = code, why = args.why, by = person }
  end
  return #list > 0 and list or nil
end

local ANY_REASON = "…"

--- The options of a command that also overrules these codes.
---@param args table
---@param codes string[]
---@return table with `force` and `why`
function M.with(args, codes)
  local all = table.move(args.force or {}, 1, #(args.force or {}), 1, {})
  return { force = table.move(codes, 1, #codes, #all + 1, all), why = args.why or ANY_REASON }
end

--- The options that overrule these codes, for a printed command; the reason is left to the person.
---@param codes string[]
---@return string
function M.words(codes)
  local words = {}
  for i, code in ipairs(codes) do words[i] = shell.option("--force", code) end
  words[#words + 1] = shell.option("--why", ANY_REASON)
  return table.concat(words, " ")
end

return M
