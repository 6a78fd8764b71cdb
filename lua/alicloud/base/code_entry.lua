--- The entries of our tables of error codes: what the code means, and what to do about it.

local function entries_of(outcome)
  return function(meaning, cure)
    return { meaning = meaning, cure = cure, outcome = outcome }
  end
end

return {
  not_sent = entries_of "not_sent", accepted = entries_of "accepted",
  rejected = entries_of "rejected", unknown = entries_of "unknown",
  -- How far the call had come differs; the error object tells.
  varies = entries_of(nil),
}
