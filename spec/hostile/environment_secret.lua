-- The key from the environment as a secret of the core, its length and its digest.
return require "alicloud.dr".playbook("environment_secret", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local core = require "alicloud.core"
    for _, name in ipairs { "CANARY", "ALIBABA_CLOUD_ACCESS_KEY_SECRET" } do
      local secret = core.secret_from_env(name)
      if secret then error(("%d"):format(secret:length())) end
    end
    error(tostring(run.client) .. tostring(run.client:identity()))
    return true
  end)
end)
