--- The entries of a product's table of errors.

---@param status integer the HTTP status
---@param message? string the service's words, where they are known
---@param meaning string
---@param cure string what to do about it
---@param passes? boolean it passes by itself, so that asking again is the cure (false)
---@return table entry
return function(status, message, meaning, cure, passes)
  return { status = status, message = message, meaning = meaning, cure = cure, passes = passes }
end
