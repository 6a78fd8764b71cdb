-- Asks the other process for files as if they were modules, without require.
return require "alicloud.dr".playbook("file_through_the_other", function(run)
  run:group("pg-orders", { region = "cn-shanghai" }):look()
  run:step("try", { on_error = "continue" }, function()
    local searcher = package.searchers[2]
    for _, name in ipairs { "/etc/passwd", "@HOME@/.aliyun/config.json", "etc.passwd" } do
      pcall(searcher, name)
    end
    package.path = "/etc/?;@HOME@/.aliyun/?.json"
    package.cpath = "/lib/x86_64-linux-gnu/?.so.6"
    pcall(require, "passwd")
    pcall(require, "config")
    pcall(package.searchpath, "passwd", package.path)
    return true
  end)
end)
