--- `--force CODE --why TEXT`: a person overrules what the pre-check has against a failover.

local forces = require "alicloud.dr.model.force"
local options = require "alicloud.cli.options"
local shell = require "alicloud.base.shell"

local M = {}

--- Adds the option; `--why` and `--as` are added by whoever calls.
---@param command table of argparse
function M.add(command)
  command:option("--force", "Overrule a finding of the pre-check that the service may see "
    .. "otherwise, by its code; needs --why, and --as or $USER. Codes: "
    .. table.concat(forces.CODES, ", ") .. "."):argname "<code>":count "*"
end

--- Reads it.
---@param args table
---@param person string|nil who overrules
---@return alicloud.dr.Force[]|nil
function M.read(args, person)
  local list = {}
  for i, code in ipairs(args.force or {}) do
    if not forces.is_forcible(code) then
      options.refuse(("--force: got %q; allowed: %s"):format(code,
        table.concat(forces.CODES, ", ")))
    end
    if not (args.why and args.why:find "%S") or not person then
      options.refuse "--force: needs --why TEXT and, without $USER, --as NAME"
    end
    list[i] = { code = code, why = args.why, by = person }
  end
  return #list > 0 and list or nil
end

local ANY_REASON = "…"

--- What would be typed to overrule codes, besides what was typed.
---@param args table
---@param codes string[]
---@return table
function M.with(args, codes)
  local all = table.move(args.force or {}, 1, #(args.force or {}), 1, {})
  return { force = table.move(codes, 1, #codes, #all + 1, all), why = args.why or ANY_REASON }
end

--- The words that overrule codes, to be typed behind a command; the reason is still to be written.
---@param codes string[]
---@return string
function M.words(codes)
  local words = {}
  for i, code in ipairs(codes) do words[i] = shell.option("--force", code) end
  words[#words + 1] = shell.option("--why", ANY_REASON)
  return table.concat(words, " ")
end

return M
