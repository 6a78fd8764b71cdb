-- The ready playbook for many groups.
return require "alicloud.playbooks.fleet"
