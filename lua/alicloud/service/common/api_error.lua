--- Makes an entry of a product's table of errors.

---@param status integer the HTTP status
---@param message? string the service's text, if it is known
---@param meaning string
---@param cure string what to do about it
---@param passes? boolean the error passes by itself, so a retry is the cure (false)
---@return table entry
return function(status, message, meaning, cure, passes)
  return { status = status, message = message, meaning = meaning, cure = cure, passes = passes }
end
