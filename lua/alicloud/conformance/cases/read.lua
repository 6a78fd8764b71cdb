return { mode = "observe", actions = {}, cost = "", cases = {} }
