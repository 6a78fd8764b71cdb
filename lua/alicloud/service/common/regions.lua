--- Regions that answer to any key of the public cloud, far apart from each other.
-- Source: the vendor's endpoint lists.

return {
  -- Those that were published when this was written, to find a slip of the hand. Others exist.
  known = {
    "cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote", "cn-wulanchabu", "cn-hangzhou",
    "cn-shanghai", "cn-nanjing", "cn-fuzhou", "cn-shenzhen", "cn-heyuan", "cn-guangzhou",
    "cn-chengdu", "cn-hongkong", "cn-wuhan-lr", "cn-zhengzhou-jva", "cn-shenzhen-finance-1",
    "cn-shanghai-finance-1", "cn-beijing-finance-1", "cn-hangzhou-finance", "ap-northeast-1",
    "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "eu-central-1", "eu-west-1", "us-east-1", "us-west-1",
    "us-southeast-1", "na-south-1", "me-east-1", "me-central-1",
  },
  -- In the order in which they are asked for a second opinion.
  opinions = { "cn-beijing", "ap-southeast-1", "cn-zhangjiakou" },
}
