--- Regions of the public cloud: those that are known, and three to ask for a second opinion.
-- Source: the vendor's endpoint lists.

return {
  -- Published when this was written; used to find misspelt regions. There may be others.
  known = {
    "cn-qingdao", "cn-beijing", "cn-zhangjiakou", "cn-huhehaote", "cn-wulanchabu", "cn-hangzhou",
    "cn-shanghai", "cn-nanjing", "cn-fuzhou", "cn-shenzhen", "cn-heyuan", "cn-guangzhou",
    "cn-chengdu", "cn-hongkong", "cn-wuhan-lr", "cn-zhengzhou-jva", "cn-shenzhen-finance-1",
    "cn-shanghai-finance-1", "cn-beijing-finance-1", "cn-hangzhou-finance", "ap-northeast-1",
    "ap-northeast-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "eu-central-1", "eu-west-1", "us-east-1", "us-west-1",
    "us-southeast-1", "na-south-1", "me-east-1", "me-central-1",
  },
  -- Far apart from each other; any key of the public cloud can ask them, in this order.
  opinions = { "cn-beijing", "ap-southeast-1", "cn-zhangjiakou" },
}
